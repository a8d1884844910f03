"""Samples of JHMDB-Sentences without a mask."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rvos.datasets.checking import CheckReport, check_benchmark

Sound = Callable[[str], tuple[Path, tuple[str, ...]]]


def faults(report: CheckReport) -> str:
    return "\n".join(finding.message for finding in report.faults)


def test_jhmdb_frame_beyond_the_masks(sound_root: Sound, edit_json: Any) -> None:
    root, _ = sound_root("jhmdb_sentences")
    path = root / "jhmdb_sentences_samples_metadata.json"

    def move(samples: Any) -> None:
        samples[5][1] = samples[5][1].replace("00012.png", "00014.png")

    edit_json(path, move)
    assert "frame 00014 is annotated but" in faults(check_benchmark("jhmdb_sentences", root))
