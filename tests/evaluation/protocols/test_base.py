"""Measures are ratios of sums over the rows that they apply to."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.evaluation.protocols import (
    BENCHMARKS,
    Measure,
    ProtocolError,
    ScoreRow,
    VideoResult,
    find_protocol,
)
from rvos.evaluation.protocols.base import ProtocolStep, ScoringProtocol

shares = st.floats(0, 1)


def rows(values: list[dict[str, float]]) -> list[ScoreRow]:
    return [ScoreRow("aa", str(index), "", value) for index, value in enumerate(values)]


@given(st.lists(shares, min_size=1, max_size=9))
def test_without_denominator_it_is_the_mean(values: list[float]) -> None:
    table = rows([{"J": value} for value in values])
    assert Measure("J", "J").over(table) == pytest.approx(sum(values) / len(values), abs=1e-12)


@given(st.lists(st.tuples(shares, st.floats(0.1, 1)), min_size=1, max_size=9))
def test_with_denominator_it_is_the_ratio_of_sums(pairs: list[tuple[float, float]]) -> None:
    table = rows([{"i": i, "u": u} for i, u in pairs])
    expected = sum(i for i, _ in pairs) / sum(u for _, u in pairs)
    assert Measure("overall IoU", "i", per="u").over(table) == pytest.approx(expected, abs=1e-12)


@given(st.lists(shares, min_size=1, max_size=5))
def test_rows_that_lack_the_column_do_not_count(values: list[float]) -> None:
    table = rows([{"J": value} for value in values])
    others = rows([{"F": 0.5}, {"J": math.nan}])
    assert Measure("J", "J").over([*table, *others]) == Measure("J", "J").over(table)
    assert math.isnan(Measure("J", "J").over(others))


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_has_a_protocol(name: str) -> None:
    protocol = find_protocol(name)
    assert protocol.name == name
    assert protocol.measures
    assert protocol.steps
    assert find_protocol(name.upper().replace("_", "-")) is protocol


@pytest.mark.parametrize("name", BENCHMARKS)
def test_unverified_measures_come_with_unconfirmed_steps(name: str) -> None:
    protocol = find_protocol(name)
    unconfirmed = " ".join(step.text for step in protocol.steps if step.source is None)
    marked = [measure.name for measure in protocol.measures if measure.unverified]
    assert [name for name in marked if name not in unconfirmed] == []


def test_an_unknown_benchmark_gets_a_suggestion() -> None:
    with pytest.raises(ProtocolError, match="did you mean mevis"):
        find_protocol("mevsi")
    with pytest.raises(ProtocolError, match="choose from ref_youtube_vos, mevis"):
        find_protocol("imagenet")


def test_a_protocol_without_pictures_says_so() -> None:
    class Bare(ScoringProtocol):
        name, title, default_split = "bare", "Bare", "val"
        measures = (Measure("J", "J"),)
        steps = (ProtocolStep("Look.", None),)
        video_ids = ("aa",)

        def score_video(self, video_id: str) -> VideoResult:
            return VideoResult(video_id, (ScoreRow(video_id, "0", "", {"J": 1.0}),))

    protocol = Bare(Path(), Path())
    assert protocol.split == "val"
    result = protocol.score_video("aa")
    assert (protocol.tables([result]), protocol.notes()) == ([], [])
    with pytest.raises(ProtocolError, match="leave --gallery out"):
        protocol.read_case(result.rows[0], 3)
