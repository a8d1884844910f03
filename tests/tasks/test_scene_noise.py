"""Tracks of annotations, as a tracker would have made them."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.scene_batch import LOOK_FEATURES, Scenes
from rvos.tasks.scene_noise import blurred_boxes, tracked_boxes

NUM_FRAMES = 5


def scenes(num_objects: tuple[int, int]) -> Scenes:
    valid = torch.arange(3) < torch.tensor(num_objects)[:, None]
    boxes = 0.2 + 0.5 * torch.rand(2, 3, NUM_FRAMES, 4)
    return Scenes(
        boxes_cxcywh=boxes * valid[..., None, None],
        looks=torch.zeros(2, 3, LOOK_FEATURES),
        valid_objects=valid,
        phrases=["the star", "the circle"],
        labels=torch.zeros(2, 3, dtype=torch.long).masked_fill(~valid, -100),
    )


@given(num_objects=st.tuples(st.integers(0, 3), st.integers(0, 3)), lost_share=st.floats(0, 1))
def test_every_box_is_one_of_the_frame(num_objects: tuple[int, int], lost_share: float) -> None:
    clips = scenes(num_objects)
    boxes = tracked_boxes(clips, lost_share)
    valid = clips.valid_objects[:, None, :, None]
    same = (boxes[:, :, None] == clips.boxes_cxcywh[:, None]).all(-1)
    assert (same & valid).any(2)[clips.valid_objects].all()


def test_without_losses_visible_objects_keep_their_boxes() -> None:
    clips = scenes((3, 1))
    assert torch.equal(tracked_boxes(clips, 0.0), clips.boxes_cxcywh)


def test_some_frames_are_lost() -> None:
    torch.manual_seed(0)
    clips = scenes((3, 3))
    kept = (tracked_boxes(clips, 0.5) == clips.boxes_cxcywh).all(-1).float().mean()
    assert 0.4 < float(kept) < 0.95  # a lost frame may draw the object itself


def test_a_track_without_object_waits_at_one_other() -> None:
    torch.manual_seed(0)
    clips = scenes((3, 2))
    clips.boxes_cxcywh[:, 0, 2:] = 0.0  # leaves
    waits = []
    for _ in range(20):
        boxes = tracked_boxes(clips, 0.0)
        assert torch.equal(boxes[:, 0, :2], clips.boxes_cxcywh[:, 0, :2])
        assert torch.equal(boxes[:, 1:], clips.boxes_cxcywh[:, 1:])
        same = (boxes[:, :1, 2:] == clips.boxes_cxcywh[:, :, 2:]).all(-1).all(-1)
        assert same.any(1).all()
        waits.append(int(same[0].long().argmax()))
    assert set(waits) == {0, 1, 2}


def test_blurred_boxes_stay_in_the_frame_or_nowhere() -> None:
    boxes = scenes((3, 1)).boxes_cxcywh
    blurred = blurred_boxes(boxes, 0.5)
    present = boxes[..., 2] > 0
    assert (blurred[~present] == 0).all()
    assert (blurred[present] > 0).all()
    assert (blurred <= 1).all()
    assert torch.equal(blurred_boxes(boxes, 0.0), boxes)
