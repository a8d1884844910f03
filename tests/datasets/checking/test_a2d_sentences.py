"""Clips, masks and lists of A2D-Sentences that do not fit each other."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from rvos.datasets.checking import CheckReport, check_benchmark

Sound = Callable[[str], tuple[Path, tuple[str, ...]]]


def faults(report: CheckReport) -> str:
    return "\n".join(finding.message for finding in report.faults)


def test_a2d_instance_that_the_mask_lacks(sound_root: Sound) -> None:
    root, _ = sound_root("a2d_sentences")
    folder = root / "text_annotations" / "a2d_annotation_with_instances" / "bbbTESTvid1"
    with h5py.File(folder / "00005.h5", "a") as file:
        file["instance"][...] = np.array([0, 1, 7])
    assert "refers to object 2" in faults(check_benchmark("a2d_sentences", root, ["test"]))


def test_a2d_masks_of_another_size_and_frames_past_the_end(
    sound_root: Sound, edit_json: Any
) -> None:
    root, _ = sound_root("a2d_sentences")
    clips = root / "Release" / "clips320H"
    shutil.copy(clips / "cccTESTone_1.mp4", clips / "bbbTESTvid1.mp4")
    text = faults(check_benchmark("a2d_sentences", root, ["test"], is_deep=True))
    assert "00005.h5 is 48x80 (height x width) but its frame is 36x60" in text
    assert "frame 00020 is annotated but" in text


def test_a2d_rows_are_counted(sound_root: Sound) -> None:
    root, _ = sound_root("a2d_sentences")
    rows = {row.split: row for row in check_benchmark("a2d_sentences", root).rows}
    assert rows["all"].counts == {"videos": 3782, "expressions": 8, "spoilt rows": 1}
    assert rows["test"].counts == {"videos": 2, "samples": 10}
    assert rows["test"].release == "-"
