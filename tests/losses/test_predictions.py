from collections.abc import Callable

import torch
from torch import Tensor

from rvos.losses.predictions import supervised_layers
from rvos.losses.targets import stack_targets
from rvos.structures import AuxiliarySegmentationOutput, ClipTargets, SegmentationOutput


def test_every_layer_is_listed_once(
    make_output: Callable[..., AuxiliarySegmentationOutput],
    make_targets: Callable[..., ClipTargets],
    valid_pixels: Tensor,
) -> None:
    output = make_output(2)
    targets = stack_targets([make_targets(1, [True])] * 2, valid_pixels, "union")
    layers = supervised_layers(output, targets, proposals_per_frame=False)
    assert [layer.suffix for layer in layers] == ["", "_0", "_proposal"]
    every = slice(None)
    masks = [layer.masks.part(every, every).unflatten(0, (2, 3)) for layer in layers]
    outputs = (output, output.aux_outputs[0], output.proposal_output)
    for found, expected in zip(masks, outputs, strict=True):
        assert torch.equal(found, expected.pred_masks)
    assert layers[2].matching_boxes_cxcywh is output.proposal_output.proposal_boxes
    assert layers[2].boxes_cxcywh is output.proposal_output.pred_boxes
    assert layers[0].matching_boxes_cxcywh is layers[0].boxes_cxcywh
    last = SegmentationOutput(output.pred_logits, output.pred_boxes, output.pred_masks)
    assert len(supervised_layers(last, targets, proposals_per_frame=False)) == 1


def test_proposals_of_every_frame_become_clips(
    make_output: Callable[..., AuxiliarySegmentationOutput],
    make_targets: Callable[..., ClipTargets],
    valid_pixels: Tensor,
) -> None:
    output = make_output(2)
    targets = stack_targets([make_targets(1, [True])] * 2, valid_pixels, "union")
    layer = supervised_layers(output, targets, proposals_per_frame=True)[-1]
    assert layer.logits.shape == (6, 1, 9)
    assert torch.equal(
        layer.masks.part(slice(4, 5), slice(None))[0], output.proposal_output.pred_masks[1, 1]
    )
    assert torch.equal(layer.targets.masks[4, :, 0], targets.masks[1, :, 1])
    assert layer.mask_scale == 1 / 3
