from collections.abc import Callable

import torch
from torch import Tensor

from rvos.losses.targets import stack_targets
from rvos.ops.boxes import box_xyxy_to_cxcywh, masks_to_boxes_xyxy
from rvos.ops.masks import subsample_masks
from rvos.structures import ClipTargets

Maker = Callable[..., ClipTargets]


def test_clips_are_filled_up_with_tracks_that_nobody_matches(
    make_targets: Maker, valid_pixels: Tensor
) -> None:
    clips = [make_targets(3, [True, False, True]), make_targets(1, [False])]
    every = stack_targets(clips, valid_pixels, "all")
    assert every.matchable.tolist() == [[True, True, True], [True, False, False]]
    referred = stack_targets(clips, valid_pixels, "referred")
    assert referred.matchable.tolist() == [[True, False, True], [False, False, False]]
    assert torch.equal(every.masks[0], subsample_masks(clips[0].masks))
    assert not every.masks[1, 1:].any()
    assert torch.equal(every.valid_pixels, subsample_masks(valid_pixels))


def test_union_is_the_mask_and_box_of_all_referred_tracks_together(
    make_targets: Maker, valid_pixels: Tensor
) -> None:
    clip = make_targets(3, [True, False, True], seed=5)
    merged = stack_targets([clip], valid_pixels[:1], "union")
    union = clip.masks[[0, 2]].any(dim=0)
    assert torch.equal(merged.masks[0, 0], subsample_masks(union))
    assert torch.equal(merged.present[0, 0], union.flatten(1).any(dim=1))
    boxes = box_xyxy_to_cxcywh(masks_to_boxes_xyxy(union)) / torch.tensor([48, 32, 48, 32])
    torch.testing.assert_close(merged.boxes_cxcywh[0, 0], boxes)


def test_union_of_nothing_is_an_absent_track(make_targets: Maker, valid_pixels: Tensor) -> None:
    clips = [make_targets(2, [False, False]), make_targets(0, [])]
    merged = stack_targets(clips, valid_pixels, "union")
    assert merged.boxes_cxcywh.shape == (2, 1, 3, 4)
    assert (merged.boxes_cxcywh == 0).all()
    assert not merged.masks.any()
    assert not merged.matchable.any()


def test_tracks_that_never_appear_are_matched_on_request_only(
    make_targets: Maker, valid_pixels: Tensor
) -> None:
    clip = make_targets(1, [True])
    clip.present[:] = False
    assert not stack_targets([clip], valid_pixels[:1], "union").matchable.any()
    assert stack_targets([clip], valid_pixels[:1], "union", keep_absent=True).matchable.all()


def test_frames_become_clips_of_one_frame(make_targets: Maker, valid_pixels: Tensor) -> None:
    clips = [make_targets(2, [True, False], seed=1), make_targets(1, [True], seed=2)]
    stacked = stack_targets(clips, valid_pixels, "all")
    frames = stacked.per_frame()
    assert frames.masks.shape == (6, 2, 1, 8, 12)
    for clip in range(2):
        for frame in range(3):
            item = clip * 3 + frame
            assert torch.equal(frames.masks[item, :, 0], stacked.masks[clip, :, frame])
            assert torch.equal(
                frames.boxes_cxcywh[item, :, 0], stacked.boxes_cxcywh[clip, :, frame]
            )
            assert torch.equal(frames.referred[item], stacked.referred[clip])
            assert torch.equal(frames.matchable[item], stacked.present[clip, :, frame])
            assert torch.equal(frames.valid_pixels[item, 0], stacked.valid_pixels[clip, frame])
