"""What Ref-DAVIS17 asks for beyond the layout it shares."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rvos.datasets.checking import CheckReport, check_benchmark

Sound = Callable[[str], tuple[Path, tuple[str, ...]]]


def faults(report: CheckReport) -> str:
    return "\n".join(finding.message for finding in report.faults)


def test_davis_expressions_come_in_fours(sound_root: Sound, edit_json: Any) -> None:
    root, _ = sound_root("ref_davis17")
    path = root / "meta_expressions" / "valid" / "meta_expressions.json"
    edit_json(path, lambda c: c["videos"]["aa-one"]["expressions"].pop("3"))
    assert "has 3 expressions of aa-one, not four per object" in faults(
        check_benchmark("ref_davis17", root)
    )
