"""Tables on the screen are aligned and say what they leave open."""

from pathlib import Path

import pytest

from rvos.evaluation.comparison import Comparison
from rvos.evaluation.protocols import BENCHMARKS, Gap, find_protocol
from rvos.evaluation.score_summary import (
    align,
    comparison_table,
    explanation,
    gap_lines,
    percent,
    score_table,
    signed,
)
from rvos.evaluation.scorer import ScoringJob, score_predictions


def test_unverified_measures_are_marked(mevis: Path) -> None:
    scores = score_predictions(ScoringJob("mevis", mevis, mevis / "pred"))
    head, rule, *lines = score_table(scores).splitlines()
    assert head.split() == ["measure", "score", "95%", "interval"]
    assert set(rule) == {"-"}
    assert [line.split()[0] for line in lines[:5]] == ["J&F", "J", "F", "N-acc*", "T-acc*"]
    assert lines[0].split()[1] == "53.4"
    assert lines[3].split()[-1] == "-", "a single video has a no-target expression"
    assert lines[-1].startswith("* unverified")


def test_without_unverified_measures_there_is_no_note(
    youtube: Path, youtube_predictions: Path
) -> None:
    scores = score_predictions(ScoringJob("ref_youtube_vos", youtube, youtube_predictions))
    assert "*" not in score_table(scores)


def test_a_method_compared_with_itself_is_not_better(mevis: Path) -> None:
    scores = score_predictions(ScoringJob("mevis", mevis, mevis / "pred"))
    lines = comparison_table(Comparison(scores, scores), ("mine", "theirs")).splitlines()
    assert lines[0].split()[:4] == ["measure", "mine", "theirs", "difference"]
    assert lines[2].split() == ["J&F", "53.4", "53.4", "+0.0", "+0.0", "..", "+0.0", "open"]
    assert lines[-1] == "J&F per row: mine better 0, theirs better 0, equal 9"


@pytest.mark.parametrize("name", BENCHMARKS)
def test_the_explanation_numbers_every_step_and_marks_the_open_ones(name: str) -> None:
    protocol = find_protocol(name)
    lines = explanation(protocol).splitlines()
    steps = [line for line in lines if line[:2].strip().isdigit()]
    assert len(steps) == len(protocol.steps)
    num_open = sum(step.source is None for step in protocol.steps)
    assert sum(line.strip() == "[NOT CONFIRMED]" for line in lines) == num_open


def test_many_gaps_are_cut() -> None:
    gaps = [Gap(f"v{number}", "video missing", 2) for number in range(25)]
    lines = gap_lines(gaps)
    assert lines[0] == "missing: 50 predictions in 25 places"
    assert lines[-1] == "  ... and 15 more in scores.json"
    assert len(lines) == 12
    assert gap_lines([]) == []


def test_columns_are_aligned() -> None:
    lines = align([["name", "a"], ["x", "100.0"], ["longer name", "5.0"]])
    assert {len(line) for line in lines} == {len("longer name") + 2 + 5}


def test_what_is_unknown_is_a_dash() -> None:
    assert percent(float("nan")) == signed(float("nan")) == "-"
