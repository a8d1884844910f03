"""Frames and masks in folders."""

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from rvos.datasets.checking import CheckReport, check_benchmark

Sound = Callable[[str], tuple[Path, tuple[str, ...]]]


def faults(report: CheckReport) -> str:
    return "\n".join(finding.message for finding in report.faults)


def warnings(report: CheckReport) -> str:
    return "\n".join(finding.message for finding in report.warnings)


def test_mask_in_true_colour(sound_root: Sound) -> None:
    root, _ = sound_root("ref_youtube_vos")
    path = root / "train" / "Annotations" / "bb" / "00010.png"
    with Image.open(path) as image:
        image.convert("RGB").save(path)
    assert "object ids need a palette" in faults(
        check_benchmark("ref_youtube_vos", root, ["train"], is_deep=True)
    )


def test_folder_that_no_annotation_knows(sound_root: Sound) -> None:
    root, _ = sound_root("mevis")
    (root / "valid" / "JPEGImages" / "zz").mkdir()
    assert "has 1 folders that meta_expressions.json does not list (zz)" in warnings(
        check_benchmark("mevis", root)
    )
