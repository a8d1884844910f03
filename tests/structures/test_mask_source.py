"""Masks that are there already answer like those that are yet to be computed."""

import torch

from rvos.structures import ComputedMasks, MaskSource


def test_computed_masks_are_a_source() -> None:
    logits = [torch.randn(3, 5, 4, 6, requires_grad=True), torch.randn(3, 2, 4, 6)]
    masks = ComputedMasks(logits)
    assert isinstance(masks, MaskSource)
    part = masks.part(0, slice(1, 3), slice(2, 9))
    assert torch.equal(part, logits[0][1:3, 2:])
    assert not part.requires_grad
    chosen = torch.tensor([[4, 0], [1, 1], [2, 3]])
    first, second = masks.of_queries([chosen, chosen[:, :0]])
    assert torch.equal(first[2, 1], logits[0][2, 3])
    assert first.requires_grad
    assert second.shape == (3, 0, 4, 6)
