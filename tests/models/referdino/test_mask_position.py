"""Position in masks: nothing at the start, tells look-alikes apart later."""

import torch

from rvos.models.referdino.mask_position import MaskPosition


def test_starts_without_effect() -> None:
    embedding, features = torch.randn(2, 3, 16), torch.randn(2, 16, 4, 5)
    placed = MaskPosition(16)(embedding, features, torch.rand(2, 3, 4))
    assert torch.equal(placed[0], embedding)
    assert torch.equal(placed[1], features)


def test_equal_queries_at_other_places_get_other_masks() -> None:
    position = MaskPosition(16)
    for projection in (position.pixel_projection, position.box_projection):
        torch.nn.init.normal_(projection.weight)
    embedding = torch.ones(1, 2, 16)
    boxes = torch.tensor([[[0.2, 0.5, 0.1, 0.1], [0.8, 0.5, 0.1, 0.1]]])
    placed, features = position(embedding, torch.zeros(1, 16, 6, 6), boxes)
    masks = torch.einsum("nqc,nchw->nqhw", placed, features)
    assert not torch.allclose(masks[:, 0], masks[:, 1])
    assert not torch.allclose(masks[..., 0], masks[..., -1])


def test_boxes_get_no_gradient() -> None:
    boxes = torch.rand(1, 2, 4, requires_grad=True)
    placed, features = MaskPosition(16)(torch.zeros(1, 2, 16), torch.zeros(1, 16, 2, 2), boxes)
    (placed.sum() + features.sum()).backward()
    assert boxes.grad is None
