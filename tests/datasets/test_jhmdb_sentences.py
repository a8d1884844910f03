import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import loadmat, savemat

from rvos.datasets import jhmdb_sentences
from rvos.datasets.errors import (
    DatasetError,
    DatasetNotFoundError,
    FrameNotFoundError,
    FramePastEndError,
    MalformedAnnotationError,
    MaskSizeError,
    UnreadableImageError,
)
from rvos.datasets.jhmdb_sentences import JHMDBSentencesDataset
from rvos.datasets.window_sampler import WindowSampler
from rvos.ops.rle import RunLengthMask, decode_mask
from rvos.transforms.frames import denormalise_frames

SAMPLES = "jhmdb_sentences_samples_metadata.json"
GROUND_TRUTH = "expected_jhmdb_sentences_gt_annotations_in_coco_format.json"
MASKS = Path("puppet_mask") / "pullup" / "clip_one_f_1" / "puppet_mask.mat"


@pytest.fixture
def root(unpack_benchmark: Callable[[str], Path]) -> Path:
    return unpack_benchmark("jhmdb_sentences")


def _edit(root: Path, change: Callable[[list[Any]], None]) -> None:
    path = root / SAMPLES
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_samples_are_those_of_the_published_ground_truth(root: Path) -> None:
    truth = json.loads((root / GROUND_TRUTH).read_text())
    masks = {a["image_id"]: a["segmentation"] for a in truth["annotations"]}
    dataset = JHMDBSentencesDataset(root)
    ids = set()
    for index in range(len(dataset)):
        sample = dataset[index]
        video, _, frame = sample.sample_id.split("/")
        ids.add(f"v_{video}_f_{int(frame)}")
        entry = masks[f"v_{video}_f_{int(frame)}"]
        expected = decode_mask(RunLengthMask(*entry["size"], entry["counts"].encode()))
        np.testing.assert_array_equal(sample.targets.masks[0, 0], expected)
        assert sample.frame_ids == [frame]
    assert ids == set(masks)
    assert dataset.expression(0) == ("clip_one_f_1", "man pullup to the left")


def test_windows_end_where_the_masks_end(root: Path) -> None:
    # clip_two has 15 frames, of which 13 have a mask.
    dataset = JHMDBSentencesDataset(root, sampler=WindowSampler(5))
    windows = {dataset.sample_id(i): dataset[i] for i in range(len(dataset))}
    last = windows["clip_two_f_2/0/00012"]
    assert last.frame_ids == ["00010", "00011", "00012", "00013", "00013"]
    folder = root / "Rename_Images" / "walk" / "clip_two_f_2"
    for frame, name in zip(denormalise_frames(last.frames), last.frame_ids, strict=True):
        np.testing.assert_array_equal(frame, np.array(Image.open(folder / f"{name}.png")))
    first = windows["clip_two_f_2/0/00001"]
    assert first.frame_ids == ["00001", "00001", "00001", "00002", "00003"]
    assert first.targets.annotated is not None
    assert first.targets.annotated.tolist() == [False, False, True, False, False]
    assert torch.equal(first.targets.present[0], first.targets.annotated)


def test_the_masks_of_a_video_are_read_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = jhmdb_sentences.read_puppet_masks

    def spy(path: Path) -> np.ndarray:
        read.append(path.parent.name)
        return real(path)

    monkeypatch.setattr(jhmdb_sentences, "read_puppet_masks", spy)
    dataset = JHMDBSentencesDataset(root)
    for index in range(len(dataset)):
        dataset[index]
    assert read == ["clip_one_f_1", "clip_two_f_2"]


@pytest.mark.parametrize("prefix", ["/mnt/data/jhmdb/", "data/jhmdb_sentences/", "C:\\jhmdb\\"])
def test_the_prefix_of_the_list_does_not_matter(root: Path, prefix: str) -> None:
    before = [JHMDBSentencesDataset(root)[i].frames for i in range(6)]

    def move(content: list[Any]) -> None:
        for entry in content:
            for column in (1, 2):
                entry[column] = entry[column].replace("./jhmdb_sentences/", prefix)

    _edit(root, move)
    after = [JHMDBSentencesDataset(root)[i].frames for i in range(6)]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_the_order_of_the_list_does_not_matter(root: Path) -> None:
    def ids() -> list[str]:
        dataset = JHMDBSentencesDataset(root)
        return [dataset.sample_id(index) for index in range(len(dataset))]

    before = ids()
    _edit(root, lambda content: content.reverse())
    assert ids() == before


def test_missing_files_are_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"Rename_Images is missing.*JHMDB-Sentences"):
        JHMDBSentencesDataset(tmp_path)
    (root / MASKS).unlink()
    with pytest.raises(FrameNotFoundError, match=r"clip_one_f_1/puppet_mask\.mat is missing"):
        JHMDBSentencesDataset(root)[0]
    (root / SAMPLES).unlink()
    with pytest.raises(DatasetNotFoundError, match=r"samples_metadata\.json is missing"):
        JHMDBSentencesDataset(root)


def test_damaged_masks_are_named(root: Path) -> None:
    (root / MASKS).write_bytes((root / MASKS).read_bytes()[:150])
    with pytest.raises(UnreadableImageError, match=r"puppet_mask\.mat cannot be decoded"):
        JHMDBSentencesDataset(root)[0]


def test_masks_of_another_shape_are_named(root: Path) -> None:
    masks = loadmat(str(root / MASKS))["part_mask"]
    savemat(str(root / MASKS), {"part_mask": masks[:, :-1]})
    with pytest.raises(MaskSizeError, match=r"puppet_mask\.mat is 48x63 .* 48x64"):
        JHMDBSentencesDataset(root)[0]
    savemat(str(root / MASKS), {"part_mask": masks[..., :2]})
    with pytest.raises(FramePastEndError, match=r"00003 is annotated but .*ends after 2 frames"):
        JHMDBSentencesDataset(root)[0]
    savemat(str(root / MASKS), {"other": masks})
    with pytest.raises(MalformedAnnotationError, match="part_mask"):
        JHMDBSentencesDataset(root)[0]


@pytest.mark.parametrize("frame", ["00000", "00013"])
def test_frames_beyond_the_video_are_named(root: Path, frame: str) -> None:
    def move(content: list[Any]) -> None:
        content[0][1] = content[0][1].replace("00003", frame)

    _edit(root, move)
    with pytest.raises(MalformedAnnotationError, match="clip_one_f_1"):
        JHMDBSentencesDataset(root)


def test_a_video_has_one_expression(root: Path) -> None:
    _edit(root, lambda content: content[0].__setitem__(4, "a dog"))
    with pytest.raises(MalformedAnnotationError, match="several expressions: 'a dog'"):
        JHMDBSentencesDataset(root)


def test_there_is_no_other_split(root: Path) -> None:
    with pytest.raises(DatasetError, match="only 'test': train on A2D-Sentences"):
        JHMDBSentencesDataset(root, "train")
