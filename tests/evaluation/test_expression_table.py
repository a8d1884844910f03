import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.evaluation.expression_table import (
    ExpressionRow,
    comparison_rows,
    format_table,
    score_rows,
)
from rvos.metrics import JAndFResult, JAndFScores


def scores(j: float, f: float, count: int) -> JAndFScores:
    return JAndFScores(torch.tensor(j).double(), torch.tensor(f).double(), count)


RESULT = JAndFResult(
    overall=scores(0.5, 0.6, 5),
    per_kind={"relation": scores(0.25, 0.35, 2), "appearance": scores(0.75, 1.0, 3)},
)


@given(
    st.lists(
        st.builds(
            ExpressionRow,
            kind=st.text("abc", min_size=1, max_size=20),
            num_expressions=st.integers(0, 10**6),
            scores=st.dictionaries(
                st.sampled_from(["J", "F", "J&F", "largest object"]),
                st.floats(0, 1) | st.just(math.nan),
            ),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_lines_are_of_equal_width_and_columns_end_together(rows: list[ExpressionRow]) -> None:
    lines = format_table(rows).split("\n")
    assert len({len(line) for line in lines}) == 1
    assert len(lines) == len(rows) + 2
    for row, line in zip(rows, lines[2:], strict=True):
        assert line.startswith(row.kind + " ")
        for title in ("J&F", "largest object"):
            if title in row.scores:
                end = lines[0].index(title) + len(title)
                score = row.scores[title]
                shown = "-" if math.isnan(score) else f"{100 * score:.1f}"
                assert line[:end].endswith(f" {shown}")


def test_score_rows_put_all_expressions_last() -> None:
    rows = score_rows(RESULT)
    assert [row.kind for row in rows] == ["appearance", "relation", "all"]
    assert [row.num_expressions for row in rows] == [3, 2, 5]
    assert rows[0].scores == pytest.approx({"J": 0.75, "F": 1.0, "J&F": 0.875})


def test_baselines_stand_beside_their_kind() -> None:
    largest = JAndFResult(scores(0.1, 0.2, 5), {"relation": scores(0.3, 0.4, 2)})
    rows = score_rows(RESULT, {"oracle": RESULT, "largest": largest})
    assert list(rows[0].scores) == ["J", "F", "J&F", "oracle", "largest"]
    assert math.isnan(rows[0].scores["largest"])
    assert rows[1].scores["largest"] == pytest.approx(0.35)
    assert rows[2].scores["largest"] == pytest.approx(0.15)
    assert rows[2].scores["oracle"] == rows[2].scores["J&F"]


def test_comparison_rows_show_kinds_of_either_result() -> None:
    before = JAndFResult(scores(0.1, 0.3, 4), {"motion": scores(0.1, 0.3, 4)})
    rows = comparison_rows({"before": before, "after": RESULT})
    assert [row.kind for row in rows] == ["appearance", "motion", "relation", "all"]
    assert [row.num_expressions for row in rows] == [3, 4, 2, 5]
    assert math.isnan(rows[1].scores["J&F after"])
    assert rows[3].scores["J&F before"] == pytest.approx(0.2)
    assert rows[3].scores["J&F after"] == pytest.approx(0.55)


def test_table_of_a_whole_evaluation() -> None:
    assert format_table(score_rows(RESULT, {"largest": JAndFResult(scores(0, 0, 5))})) == (
        "kind        expressions     J      F   J&F  largest\n"
        "---------------------------------------------------\n"
        "appearance            3  75.0  100.0  87.5        -\n"
        "relation              2  25.0   35.0  30.0        -\n"
        "---------------------------------------------------\n"
        "all                   5  50.0   60.0  55.0      0.0"
    )


def test_without_rows_only_the_head_is_left() -> None:
    assert format_table([]) == "kind  expressions"
