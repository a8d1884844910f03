import torch

from rvos.inference.results import ExpressionTracks
from rvos.inference.selection import resize_mask_logits, union_of_masks


def make_tracks(num_tracks: int = 2, num_frames: int = 3) -> ExpressionTracks:
    return ExpressionTracks(
        expression="a dog",
        mask_logits=torch.randn(num_tracks, num_frames, 5, 6),
        boxes_xyxy=torch.rand(num_frames, 4),
        scores=torch.tensor([0.9, 0.1, 0.6]),
        present=torch.tensor([True, False, True]),
        input_size=(18, 23),
        original_size=(40, 51),
        stretch="exact",
    )


def test_masks_frame_by_frame_equal_all_at_once() -> None:
    tracks = make_tracks()
    result = tracks.enlarge(["a", "b", "c"], [0.0, 0.1, 0.2])
    logits = resize_mask_logits(tracks.mask_logits, (18, 23), (40, 51), "exact")
    assert torch.equal(result.masks, union_of_masks(logits))
    assert torch.equal(result.masks[1], tracks.mask(1))


def test_visible_masks_leave_out_frames_without_the_object() -> None:
    result = make_tracks().enlarge(["a", "b", "c"], [0.0, 0.1, 0.2])
    assert result.masks.flatten(1).any(1).all()
    assert result.visible_masks.flatten(1).any(1).tolist() == [True, False, True]
    assert torch.equal(result.visible_masks[0], result.masks[0])
