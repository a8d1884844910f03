import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import h5py
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from rvos.datasets import video_frames
from rvos.datasets.a2d_samples import samples_path
from rvos.datasets.a2d_sentences import A2DSentencesDataset
from rvos.datasets.collate import collate_clips
from rvos.datasets.errors import (
    DatasetError,
    DatasetNotFoundError,
    FrameNotFoundError,
    FramePastEndError,
    MalformedAnnotationError,
    MaskSizeError,
    UnknownObjectError,
    UnreadableImageError,
    UnreadableVideoError,
)
from rvos.datasets.window_sampler import WindowSampler
from rvos.ops.rle import RunLengthMask, decode_mask
from rvos.structures.video import VideoSample
from rvos.transforms.frames import denormalise_frames
from rvos.transforms.presets import training_transform

MASKS = Path("text_annotations") / "a2d_annotation_with_instances"
GROUND_TRUTH = "expected_a2d_sentences_test_annotations_in_coco_format.json"


@pytest.fixture
def root(unpack_benchmark: Callable[[str], Path]) -> Path:
    return unpack_benchmark("a2d_sentences")


def _image_id(sample: VideoSample) -> str:
    video, instance, frame = sample.sample_id.split("/")
    return f"v_{video}_f_{int(frame)}_i_{instance}"


def _decode_all(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_samples_are_those_of_the_published_ground_truth(root: Path) -> None:
    truth = json.loads((root / GROUND_TRUTH).read_text())
    masks = {a["image_id"]: a["segmentation"] for a in truth["annotations"]}
    dataset = A2DSentencesDataset(root, "test")
    samples = [dataset[index] for index in range(len(dataset))]
    assert sorted(map(_image_id, samples)) == sorted(masks)
    for sample in samples:
        entry = masks[_image_id(sample)]
        expected = decode_mask(RunLengthMask(*entry["size"], entry["counts"].encode()))
        np.testing.assert_array_equal(sample.targets.masks[0, 0], expected)
        assert sample.original_size == tuple(entry["size"])
    assert samples[0].expression == "the thing 0 jumping, to the right"


@pytest.mark.parametrize("num_frames", [1, 2, 5, 30])
def test_windows_show_the_annotated_frame_and_its_neighbours(root: Path, num_frames: int) -> None:
    dataset = A2DSentencesDataset(root, "test", WindowSampler(num_frames))
    for index in range(len(dataset)):
        sample = dataset[index]
        frames = _decode_all(root / "Release" / "clips320H" / f"{sample.video_id}.mp4")
        number = int(sample.sample_id.split("/")[-1])
        window = np.arange(num_frames) - num_frames // 2 + number - 1
        window = window.clip(0, len(frames) - 1)
        assert sample.frame_ids == [f"{i + 1:05d}" for i in window]
        np.testing.assert_array_equal(
            denormalise_frames(sample.frames), np.stack([frames[i] for i in window])
        )
        # One frame carries the target, also where the window repeats it.
        assert sample.targets.annotated is not None
        assert sample.targets.annotated.nonzero()[:, 0].tolist() == [num_frames // 2]
        assert torch.equal(sample.targets.present[0], sample.targets.annotated)
        assert sample.targets.masks[0].flatten(1).any(1).tolist() == [
            position == num_frames // 2 for position in range(num_frames)
        ]


def test_window_does_not_change_the_target(root: Path) -> None:
    alone = A2DSentencesDataset(root, "test")
    windows = A2DSentencesDataset(root, "test", WindowSampler(4))
    for index in range(len(alone)):
        first, second = alone[index].targets, windows[index].targets
        assert torch.equal(first.masks[:, 0], second.masks[:, 2])
        assert torch.equal(first.boxes_cxcywh[:, 0], second.boxes_cxcywh[:, 2])


def _training(root: Path, **options: Any) -> A2DSentencesDataset:
    transform = training_transform("moving_shapes")
    return A2DSentencesDataset(root, "train", WindowSampler(2), transform, **options)


def _equal(first: VideoSample, second: VideoSample) -> bool:
    return (
        first.sample_id == second.sample_id
        and first.expression == second.expression
        and torch.equal(first.frames, second.frames)
        and torch.equal(first.targets.masks, second.targets.masks)
    )


def test_samples_depend_on_seed_epoch_and_id_alone(root: Path) -> None:
    first, second = _training(root), _training(root)
    second[3]
    assert all(_equal(first[i], second[i]) for i in reversed(range(len(first))))
    second.set_epoch(1)
    assert [second.sample_id(i) for i in range(4)] == [first.sample_id(i) for i in range(4)]
    assert not all(_equal(first[i], second[i]) for i in range(len(first)))
    other_seed = _training(root, seed=1)
    assert not all(_equal(first[i], other_seed[i]) for i in range(len(first)))


def test_batches_do_not_depend_on_the_number_of_workers(root: Path) -> None:
    def frames(num_workers: int) -> list[torch.Tensor]:
        loader = DataLoader(
            _training(root), batch_size=2, collate_fn=collate_clips, num_workers=num_workers
        )
        return [batch.frames for batch in loader]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer cores than workers is fine here
        alone, shared = frames(0), frames(2)
    assert len(alone) == len(shared) == 2
    assert all(torch.equal(a, b) for a, b in zip(alone, shared, strict=True))


def test_order_does_not_depend_on_the_order_of_the_list(root: Path) -> None:
    def ids() -> list[str]:
        dataset = A2DSentencesDataset(root, "test")
        return [dataset.sample_id(index) for index in range(len(dataset))]

    before, path = ids(), samples_path(root, "test")
    path.write_text(json.dumps(json.loads(path.read_text())[::-1]))
    assert ids() == before
    path.unlink()
    assert ids() == before


def test_expressions_of_a_frame_share_its_decoding(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    real = video_frames._decode_from

    def spy(*arguments: Any) -> Iterator[tuple[int, av.VideoFrame]]:
        for index, frame in real(*arguments):
            seen.append(index)
            yield index, frame

    monkeypatch.setattr(video_frames, "_decode_from", spy)
    dataset = A2DSentencesDataset(root, "test")
    for index in range(len(dataset)):
        dataset[index]
    # Every frame is a key frame here: three frames of one video, two of the other, once each.
    assert seen == [4, 11, 19, 0, 14]


def test_both_names_of_the_clips_folder_are_known(root: Path) -> None:
    (root / "Release" / "clips320H").rename(root / "Release" / "CLIPS320")
    assert A2DSentencesDataset(root, "train")[0].frames.shape == (1, 3, 40, 64)


def test_two_wordings_of_one_instance_keep_their_own_ids(root: Path) -> None:
    path = samples_path(root, "test")
    path.write_text(
        json.dumps([["a dog", "cccTESTone_1", 1, 0], ["the dog", "cccTESTone_1", 15, 0]])
    )
    dataset = A2DSentencesDataset(root, "test")
    ids = [dataset.sample_id(index) for index in range(len(dataset))]
    assert ids == ["cccTESTone_1/0/00001", "cccTESTone_1/0.1/00015"]


def test_context_past_the_end_is_the_last_frame(root: Path) -> None:
    table = root / "Release" / "videoset.csv"
    table.write_text(table.read_text().replace(",36,60,15,", ",36,60,17,"))
    dataset = A2DSentencesDataset(root, "test", WindowSampler(5))
    sample = dataset[len(dataset) - 1]
    assert sample.sample_id == "cccTESTone_1/0/00015"
    assert sample.frame_ids[-1] == "00017"
    assert torch.equal(sample.frames[2], sample.frames[4])


def test_missing_files_are_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"clips320H is missing.*A2D-Sentences"):
        A2DSentencesDataset(tmp_path, "train")
    (root / "Release" / "clips320H" / "aaaTRAINvid.mp4").unlink()
    with pytest.raises(FrameNotFoundError, match=r"aaaTRAINvid\.mp4 is missing"):
        A2DSentencesDataset(root, "train")[0]
    (root / MASKS / "bbbTESTvid1" / "00005.h5").unlink()
    with pytest.raises(FrameNotFoundError, match=r"bbbTESTvid1/00005\.h5 is missing"):
        A2DSentencesDataset(root, "test")[0]
    (root / "Release" / "videoset.csv").unlink()
    with pytest.raises(DatasetNotFoundError, match=r"videoset\.csv is missing"):
        A2DSentencesDataset(root, "test")


def test_damaged_files_are_named(root: Path) -> None:
    clip = root / "Release" / "clips320H" / "aaaTRAINvid.mp4"
    clip.write_bytes(clip.read_bytes()[:200])
    with pytest.raises(UnreadableVideoError, match=r"aaaTRAINvid\.mp4 cannot be decoded"):
        A2DSentencesDataset(root, "train")[0]
    masks = root / MASKS / "bbbTESTvid1" / "00005.h5"
    masks.write_bytes(masks.read_bytes()[:200])
    with pytest.raises(UnreadableImageError, match=r"bbbTESTvid1/00005\.h5"):
        A2DSentencesDataset(root, "test")[0]


def test_an_annotated_frame_past_the_end_is_named(root: Path) -> None:
    path = samples_path(root, "test")
    path.write_text(json.dumps([["a dog", "cccTESTone_1", 16, 0]]))
    with pytest.raises(FramePastEndError, match=r"00016 is annotated but .*ends after 15 frames"):
        A2DSentencesDataset(root, "test")[0]
    path.write_text(json.dumps([["a dog", "cccTESTone_1", 0, 0]]))
    with pytest.raises(MalformedAnnotationError, match="counted from 1"):
        A2DSentencesDataset(root, "test")


def test_mask_of_another_size_is_named(root: Path) -> None:
    clips = root / "Release" / "clips320H"
    shutil.copy(clips / "bbbTESTvid1.mp4", clips / "aaaTRAINvid.mp4")
    with pytest.raises(MaskSizeError, match=r"00003\.h5 is 40x64 .* 48x80"):
        A2DSentencesDataset(root, "train")[0]


def test_unknown_instance_is_named(root: Path) -> None:
    path = samples_path(root, "test")
    path.write_text(json.dumps([["a dog", "cccTESTone_1", 15, 7]]))
    with pytest.raises(UnknownObjectError, match=r"cccTESTone_1 refers to object 7.*00015\.h5"):
        A2DSentencesDataset(root, "test")[0]


def test_masks_and_instances_must_match(root: Path) -> None:
    path = root / MASKS / "cccTESTone_1" / "00001.h5"
    with h5py.File(path, "a") as file:
        del file["instance"]
        file["instance"] = np.array([0, 1])
    dataset = A2DSentencesDataset(root, "test")
    index = [dataset.sample_id(i) for i in range(len(dataset))].index("cccTESTone_1/0/00001")
    with pytest.raises(MalformedAnnotationError, match=r"00001\.h5.*do not match"):
        dataset[index]


def test_other_splits_are_refused(root: Path) -> None:
    with pytest.raises(DatasetError, match="no split 'valid': choose one of train, test"):
        A2DSentencesDataset(root, "valid")
