import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rvos.datasets.a2d_samples import list_samples, read_sample_list, samples_path, scan_samples
from rvos.datasets.errors import FrameNotFoundError, MalformedAnnotationError
from rvos.datasets.safe_names import UnsafeNameError

SPLITS = ["train", "test"]


@pytest.fixture
def root(unpack_benchmark: Callable[[str], Path]) -> Path:
    return unpack_benchmark("a2d_sentences")


@pytest.mark.parametrize("split", SPLITS)
def test_scanning_the_masks_gives_the_published_list(root: Path, split: str) -> None:
    published = json.loads(samples_path(root, split).read_text())
    scanned = scan_samples(root, split)
    assert [[s.query, s.video_id, s.frame, s.instance_id] for s in scanned] == published
    assert scanned == read_sample_list(samples_path(root, split)) == list_samples(root, split)
    samples_path(root, split).unlink()
    assert list_samples(root, split) == scanned


def test_the_published_list_comes_first(root: Path) -> None:
    samples_path(root, "test").write_text('[["A Dog", "cccTESTone_1", 15, 0]]')
    (sample,) = list_samples(root, "test")
    assert sample.image_id == "v_cccTESTone_1_f_15_i_0"
    assert sample.query == "a dog"


def test_spoilt_rows_missed_videos_and_frames_without_the_instance_are_left_out(root: Path) -> None:
    texts = root / "text_annotations" / "a2d_annotation.txt"
    assert "1 (copy)" in texts.read_text()
    ids = {sample.image_id for split in SPLITS for sample in scan_samples(root, split)}
    assert not any("dddMISSED" in image_id for image_id in ids)
    assert "v_bbbTESTvid1_f_5_i_1" in ids
    assert "v_bbbTESTvid1_f_12_i_1" not in ids


def test_masks_of_a_listed_video_must_be_there(root: Path) -> None:
    folder = root / "text_annotations" / "a2d_annotation_with_instances" / "bbbTESTvid1"
    shutil.rmtree(folder)
    with pytest.raises(FrameNotFoundError, match=r"bbbTESTvid1 is missing"):
        scan_samples(root, "test")
    scan_samples(root, "train")


def test_broken_rows_are_named(root: Path) -> None:
    texts = root / "text_annotations" / "a2d_annotation.txt"
    texts.write_text(texts.read_text() + "aaaTRAINvid,one,a dog\n")
    with pytest.raises(MalformedAnnotationError, match=r"a2d_annotation\.txt.*'one' of .*aaaTRAIN"):
        scan_samples(root, "train")


@pytest.mark.parametrize("content", ["{}", '[["a dog", "aa", 3]]', '[["a dog", "aa", "x", 0]]'])
def test_broken_lists_are_named(root: Path, content: str) -> None:
    path = samples_path(root, "test")
    path.write_text(content)
    with pytest.raises(MalformedAnnotationError, match="test_annotations"):
        list_samples(root, "test")


def test_a_list_cannot_lead_out_of_the_folder(root: Path) -> None:
    path = samples_path(root, "test")
    path.write_text('[["a dog", "../../secret", 3, 0]]')
    with pytest.raises(UnsafeNameError):
        list_samples(root, "test")
