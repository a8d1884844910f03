"""Counts that no release has."""

from collections.abc import Callable
from pathlib import Path

from rvos.datasets.checking import CheckReport, check_benchmark

Sound = Callable[[str], tuple[Path, tuple[str, ...]]]


def warnings(report: CheckReport) -> str:
    return "\n".join(finding.message for finding in report.warnings)


def test_unknown_counts_are_a_warning_with_both_numbers(sound_root: Sound) -> None:
    root, _ = sound_root("mevis")
    report = check_benchmark("mevis", root, ["valid_u"])
    assert report.faults == ()
    text = warnings(report)
    assert "has 3 videos, 9 expressions in valid_u" in text or "3 videos" in text
    assert "version 1 has 50 videos, 793 expressions" in text
    assert "version 2 has 50 videos, 907 expressions" in text
