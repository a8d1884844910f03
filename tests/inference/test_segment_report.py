import json

from hypothesis import given
from hypothesis import strategies as st

from rvos.inference.results import ExpressionRecord
from rvos.inference.segment_pipeline import SegmentRun
from rvos.inference.segment_report import (
    frame_ranges,
    result_json,
    result_table,
    time_line,
)


def make_record(expression: str, present: list[bool]) -> ExpressionRecord:
    return ExpressionRecord(
        expression=expression,
        scores=[0.75 if here else 0.25 for here in present],
        boxes_xyxy=[(1.04, 2.0, 3.0, 4.0)] * len(present),
        present=present,
    )


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_ranges_name_exactly_the_frames(present: list[bool]) -> None:
    text = frame_ranges(present)
    named: list[int] = []
    for part in [] if text == "none" else text.split(", "):
        first, _, last = part.partition("-")
        named += range(int(first), int(last or first) + 1)
    assert named == [index for index, here in enumerate(present) if here]


def test_table_is_aligned_and_complete() -> None:
    records = [make_record("a dog", [True, False]), make_record("x" * 80, [False, False])]
    lines = result_table(records, ["out/01", "out/02"]).splitlines()
    assert lines[0].split() == ["expression", "found", "in", "frames", "mean", "score", "masks"]
    assert lines[1].split() == ["a", "dog", "1", "of", "2", "0", "0.50", "out/01"]
    assert lines[2].split() == ["x" * 47 + "…", "0", "of", "2", "none", "0.25", "out/02"]
    for title, first, second in (("found", "1 of", "0 of"), ("masks", "out", "out")):
        assert lines[0].index(title) == lines[1].index(first) == lines[2].index(second)


def test_table_without_masks_has_no_such_column() -> None:
    assert "masks" not in result_table([make_record("a dog", [True])], [""])


def test_json_holds_every_frame() -> None:
    records = [make_record("a dog", [True, False])]
    run = SegmentRun(records, ["a", "b"], [0.0, 0.5])
    content = json.loads(result_json(run, 0.5, "exact"))
    assert content == {
        "presence_threshold": 0.5,
        "mode": "exact",
        "shortfall": None,
        "frame_ids": ["a", "b"],
        "timestamps": [0.0, 0.5],
        "expressions": [
            {
                "expression": "a dog",
                "mean_score": 0.5,
                "scores": [0.75, 0.25],
                "present": [True, False],
                "boxes_xyxy": [[1.0, 2.0, 3.0, 4.0]] * 2,
            }
        ],
    }


def test_time_tells_frames_and_share() -> None:
    run = SegmentRun([make_record("a dog", [True, False])], ["a", "b"], [0.0, 0.5])
    list(run.clock.watch(iter("ab")))
    line = time_line(run)
    assert "frames/s; the model was busy" in line
    assert 0 <= int(line.split("busy ")[1].split(" %")[0]) <= 100
