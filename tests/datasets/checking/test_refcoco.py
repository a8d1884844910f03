"""Converted files of RefCOCO that are wrong or stale."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rvos.datasets.checking import CheckReport, check_benchmark

Sound = Callable[[str], tuple[Path, tuple[str, ...]]]


def faults(report: CheckReport) -> str:
    return "\n".join(finding.message for finding in report.faults)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["annotations"].pop(), "has not exactly one annotation"),
        (lambda c: c["annotations"].append(c["annotations"][0]), "has not exactly one annotation"),
        (lambda c: c["images"][0].update(caption=" "), "has no expression for image 1"),
        (lambda c: c["images"][0].update(file_name="../x.jpg"), "names '../x.jpg'"),
        (lambda c: c["images"][0].update(file_name="x.jpg"), "x.jpg is missing"),
        (lambda c: c["annotations"][0].update(bbox=[0, 0, 999, 1]), "lies outside of its image"),
        (lambda c: c["annotations"][0].update(segmentation=[[1, 2]]), "three points"),
        (lambda c: c["images"][0].pop("height"), "no entry 'height'"),
    ],
)
def test_refcoco(sound_root: Sound, edit_json: Any, change: Any, message: str) -> None:
    root, _ = sound_root("refcoco")
    edit_json(root / "refcoco" / "instances_refcoco_val.json", change)
    report = check_benchmark("refcoco", root, ["val"], is_deep=True)
    assert message in faults(report)


def test_refcoco_made_from_other_references(sound_root: Sound) -> None:
    root, _ = sound_root("refcoco")
    path = root / "refcoco" / "refs(unc).p"
    references = pickle.loads(path.read_bytes())
    for entry in references:
        entry["sentences"].append(entry["sentences"][0])
    path.write_bytes(pickle.dumps(references))
    assert "refs(unc).p has" in faults(check_benchmark("refcoco", root))
    path.write_bytes(pickle.dumps(print))
    assert "could run code" in faults(check_benchmark("refcoco", root))


def test_refcoco_images_of_another_release(sound_root: Sound) -> None:
    root, _ = sound_root("refcoco")
    path = root / "refcoco" / "instances_refcoco_val.json"
    image = json.loads(path.read_text())["images"][0]
    Image.new("RGB", (5, 4)).save(root / "train2014" / image["file_name"])
    assert f"is 4x5 (height x width), its annotations say {image['height']}x" in faults(
        check_benchmark("refcoco", root, ["val"])
    )
