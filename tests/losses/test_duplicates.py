from collections.abc import Callable

import torch

from rvos.losses import SetCriterion
from rvos.losses.duplicates import found_targets
from rvos.losses.targets import stack_targets
from rvos.structures import AuxiliarySegmentationOutput, ClipTargets


def test_only_visible_targets_are_found(make_targets: Callable[..., ClipTargets]) -> None:
    clip = make_targets(2, [True, False])
    valid = torch.ones(1, 3, 32, 48, dtype=torch.bool)
    targets = stack_targets([clip], valid, "all")
    boxes = clip.boxes_cxcywh.transpose(0, 1)[None].clone()  # query q lies on target q
    found = found_targets(boxes, targets, 0.5)
    present = clip.present.T[None]
    assert torch.equal(found == torch.arange(2), present)
    assert (found[~present] == -1).all()


def test_duplicates_of_a_referred_object_are_positive(
    make_targets: Callable[..., ClipTargets],
    make_output: Callable[..., AuxiliarySegmentationOutput],
) -> None:
    clip = make_targets(2, [True, False], num_frames=1)
    output = make_output(1, num_frames=1)
    boxes = clip.boxes_cxcywh[:, 0]
    far = torch.tensor([0.9, 0.9, 0.02, 0.02])
    output.pred_boxes = torch.stack((boxes[0], boxes[0], boxes[1], boxes[1], far))[None, None]
    valid = torch.ones(1, 1, 32, 48, dtype=torch.bool)

    def positives(duplicate_iou: float | None) -> list[int]:
        logits = output.pred_logits.detach().requires_grad_()
        output.pred_logits = logits
        criterion = SetCriterion(target_tracks="all", duplicate_iou=duplicate_iou)
        criterion(output, [clip], valid).total.backward()
        assert logits.grad is not None
        return (logits.grad[0, 0, :, 0] < 0).nonzero().flatten().tolist()

    assert len(positives(None)) == 1
    assert positives(0.7) == [0, 1]
