import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.inference.results import (
    ExpressionRecord,
    FrameMask,
    FrameSegmentation,
    gather_results,
)


def found(expression: str, index: int, present: bool = True) -> FrameMask:
    mask = torch.zeros(3, 4, dtype=torch.bool)
    mask[index % 3] = True
    return FrameMask(expression, mask, (0.0, 1.0, 2.0, float(index)), 0.5 + index / 8, present)


def frame(index: int, present: bool = True) -> FrameSegmentation:
    objects = [found("a dog", index, present), found("a cat", index + 1)]
    return FrameSegmentation(index, f"f{index}", index / 10, objects)


def test_frames_become_one_result_per_expression() -> None:
    first, second = gather_results(frame(index) for index in range(3))
    assert (first.expression, second.expression) == ("a dog", "a cat")
    assert first.frame_ids == ["f0", "f1", "f2"]
    assert first.timestamps == [0.0, 0.1, 0.2]
    for index in range(3):
        assert torch.equal(first.masks[index], found("a dog", index).mask)
        assert torch.equal(second.masks[index], found("a cat", index + 1).mask)
    assert first.boxes_xyxy[:, 3].tolist() == [0, 1, 2]
    assert second.scores.tolist() == [0.625, 0.75, 0.875]


def test_visible_masks_leave_out_frames_without_the_object() -> None:
    first, _ = gather_results([frame(0), frame(1, present=False)])
    assert first.masks.flatten(1).any(1).all()
    assert first.visible_masks.flatten(1).any(1).tolist() == [True, False]
    assert not found("a dog", 0, present=False).visible_mask.any()
    assert torch.equal(found("a dog", 0).visible_mask, found("a dog", 0).mask)


@given(st.lists(st.floats(0, 1), max_size=20))
def test_a_record_keeps_every_frame(scores: list[float]) -> None:
    record = ExpressionRecord("a dog")
    for score in scores:
        record.add(
            FrameMask("a dog", torch.ones(1, 1) > 0, (0.0, 0.0, 1.0, 1.0), score, score > 0.5)
        )
    assert record.scores == scores
    assert sum(record.present) == sum(score > 0.5 for score in scores)
    assert 0 <= record.mean_score <= 1
