"""Entries of Ref-YouTube-VOS that do not fit each other."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rvos.datasets.checking import CheckReport, check_benchmark

Sound = Callable[[str], tuple[Path, tuple[str, ...]]]


def faults(report: CheckReport) -> str:
    return "\n".join(finding.message for finding in report.faults)


def warnings(report: CheckReport) -> str:
    return "\n".join(finding.message for finding in report.warnings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v["aa"]["expressions"]["0"].update(obj_id="9"), "refers to object 9"),
        (lambda v: v["aa"]["expressions"]["0"].update(exp="  "), "empty expression 0 of video aa"),
        (lambda v: v["aa"].update(frames=[]), "video aa lists no frame"),
        (lambda v: v["aa"]["frames"].append("00005"), "video aa lists a frame twice"),
        (lambda v: v["aa"].pop("expressions"), "no entry 'expressions'"),
        (lambda v: v["aa"]["frames"].append("99999"), "99999.jpg is missing"),
        (lambda v: v.update(dd=v["aa"]), "dd is missing"),
        (lambda v: v.update(aa=None), "an entry of the wrong kind"),
    ],
)
def test_ref_youtube_vos(sound_root: Sound, edit_json: Any, change: Any, message: str) -> None:
    root, _ = sound_root("ref_youtube_vos")
    path = root / "meta_expressions" / "train" / "meta_expressions.json"
    edit_json(path, lambda content: change(content["videos"]))
    report = check_benchmark("ref_youtube_vos", root, ["train"])
    assert message in faults(report)
    assert report.rows, "the other videos are looked at all the same"


def test_valid_without_the_withdrawn_test_list(sound_root: Sound) -> None:
    root, _ = sound_root("ref_youtube_vos")
    shutil.rmtree(root / "meta_expressions" / "test")
    shutil.rmtree(root / "valid" / "JPEGImages" / "cc")
    report = check_benchmark("ref_youtube_vos", root)
    assert report.faults == ()
    assert report.rows[1].counts["videos"] == 2


def test_object_in_the_masks_that_nobody_lists(sound_root: Sound, edit_json: Any) -> None:
    root, _ = sound_root("ref_youtube_vos")
    meta = root / "train" / "meta.json"
    edit_json(meta, lambda c: c["videos"]["aa"]["objects"].update({"7": {"category": "bar"}}))
    report = check_benchmark("ref_youtube_vos", root, ["train"], is_deep=True)
    assert "never shows objects that the annotations list (7)" in warnings(report)
    path = root / "train" / "Annotations" / "aa" / "00060.png"
    with Image.open(path) as image:
        image.putpixel((0, 0), 9)
        image.save(path)
    report = check_benchmark("ref_youtube_vos", root, ["train"], is_deep=True)
    assert "shows objects that the annotations do not list (9)" in warnings(report)
