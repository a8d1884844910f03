"""Masks of MeViS that do not fit their videos."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rvos.datasets.checking import CheckReport, check_benchmark
from rvos.datasets.checking.published_counts import PUBLISHED, Release

Sound = Callable[[str], tuple[Path, tuple[str, ...]]]


def faults(report: CheckReport) -> str:
    return "\n".join(finding.message for finding in report.faults)


def warnings(report: CheckReport) -> str:
    return "\n".join(finding.message for finding in report.warnings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.pop("1"), "refers to object 1, which"),
        (lambda m: m["1"].pop(), "object 1 has 7 masks, video aa has 8 frames"),
        (lambda m: m["1"][0].update(size=[30, 20]), "object 1, frame 00005 of video aa, is 30x20"),
        (lambda m: m["1"][0].pop("counts"), "no entry 'counts'"),
        (lambda m: m["1"][0].update(counts="\u00e9"), "an entry of the wrong kind"),
        (lambda m: m.update({"1": 5}), "an entry of the wrong kind"),
    ],
)
def test_mevis_masks(sound_root: Sound, edit_json: Any, change: Any, message: str) -> None:
    root, _ = sound_root("mevis")
    edit_json(root / "valid_u" / "mask_dict.json", change)
    assert message in faults(check_benchmark("mevis", root, ["valid_u"]))


def test_mevis_run_lengths_of_another_size(sound_root: Sound, edit_json: Any) -> None:
    root, _ = sound_root("mevis")
    edit_json(root / "train" / "mask_dict.json", lambda m: m["1"][2].update(counts="0PPP10"))
    report = check_benchmark("mevis", root, ["train"], is_deep=True)
    assert "mask_dict.json" in faults(report)
    assert check_benchmark("mevis", root, ["valid_u"], is_deep=True).faults == ()


def test_mevis_version_by_its_counts(sound_root: Sound, monkeypatch: pytest.MonkeyPatch) -> None:
    root, _ = sound_root("mevis")
    row = check_benchmark("mevis", root, ["valid_u"]).rows[0]
    assert row.release == "unknown"
    releases = tuple(Release(f"version {k}", row.counts | {"videos": k}) for k in (2, 3))
    monkeypatch.setitem(PUBLISHED, "mevis", {"valid_u": releases})  # type: ignore[arg-type]
    report = check_benchmark("mevis", root, ["valid_u"])
    assert report.rows[0].release == "version 3"
    assert report.warnings == ()
