import json

import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.inference.results import ExpressionTracks
from rvos.inference.segment_report import frame_ranges, result_json, result_table


def make_tracks(expression: str, present: list[bool]) -> ExpressionTracks:
    num_frames = len(present)
    return ExpressionTracks(
        expression=expression,
        mask_logits=torch.zeros(1, num_frames, 2, 2),
        boxes_xyxy=torch.tensor([[1.04, 2, 3, 4]]).expand(num_frames, 4),
        scores=torch.tensor([0.75 if p else 0.25 for p in present]),
        present=torch.tensor(present),
        input_size=(8, 8),
        original_size=(8, 8),
        stretch="released",
    )


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_ranges_name_exactly_the_frames(present: list[bool]) -> None:
    text = frame_ranges(torch.tensor(present))
    named: list[int] = []
    for part in [] if text == "none" else text.split(", "):
        first, _, last = part.partition("-")
        named += range(int(first), int(last or first) + 1)
    assert named == [index for index, here in enumerate(present) if here]


def test_table_is_aligned_and_complete() -> None:
    tracks = [make_tracks("a dog", [True, False]), make_tracks("x" * 80, [False, False])]
    lines = result_table(tracks, ["out/01", "out/02"]).splitlines()
    assert lines[0].split() == ["expression", "found", "in", "frames", "mean", "score", "masks"]
    assert lines[1].split() == ["a", "dog", "1", "of", "2", "0", "0.50", "out/01"]
    assert lines[2].split() == ["x" * 47 + "…", "0", "of", "2", "none", "0.25", "out/02"]
    for title, first, second in (("found", "1 of", "0 of"), ("masks", "out", "out")):
        assert lines[0].index(title) == lines[1].index(first) == lines[2].index(second)


def test_table_without_masks_has_no_such_column() -> None:
    assert "masks" not in result_table([make_tracks("a dog", [True])], [""])


def test_json_holds_every_frame() -> None:
    tracks = [make_tracks("a dog", [True, False])]
    content = json.loads(result_json(tracks, ["a", "b"], [0.0, 0.5], 0.5))
    assert content == {
        "presence_threshold": 0.5,
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
