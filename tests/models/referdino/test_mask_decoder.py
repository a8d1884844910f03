"""The grounding-guided mask decoder samples where the box is."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from rvos.models.mask_heads import MaskFeatures, MaskQueries
from rvos.models.referdino import GroundingGuidedMaskDecoder
from rvos.models.referdino.mask_decoder_layer import MaskScene
from rvos.structures import ReferenceText


def decoder(**options: Any) -> GroundingGuidedMaskDecoder:
    torch.manual_seed(0)
    head = GroundingGuidedMaskDecoder(16, 2, 2, 4, 32, **options).double().eval()
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return head


@pytest.fixture
def inputs() -> tuple[MaskQueries, MaskFeatures, ReferenceText]:
    double = {"dtype": torch.float64}
    queries = MaskQueries(
        torch.randn(2, 5, 16, **double),
        torch.rand(2, 5, 4, **double),
        torch.randn(2, 5, 16, **double),
    )
    features = MaskFeatures(
        torch.randn(2, 16, 8, 9, **double),
        torch.ones(2, 8, 9, dtype=torch.bool),
        torch.ones(2, 2, **double),
    )
    valid = torch.tensor([[True, True, True], [True, True, False]])
    return queries, features, ReferenceText(torch.randn(2, 3, 16, **double), valid)


def permuted(queries: MaskQueries, order: Tensor) -> MaskQueries:
    return MaskQueries(
        queries.features[:, order],
        queries.reference_boxes_cxcywh[:, order],
        queries.positions[:, order],
    )


@torch.no_grad()
def test_equivariant_to_the_order_of_queries(inputs: Any) -> None:
    queries, features, text = inputs
    order = torch.randperm(5)
    head = decoder(mask_position="sine")
    torch.testing.assert_close(
        head(permuted(queries, order), features, text), head(queries, features, text)[:, order]
    )


@torch.no_grad()
def test_padded_tokens_are_not_read(inputs: Any) -> None:
    queries, features, text = inputs
    other = text.features.clone()
    other[1, 2] = 100
    head = decoder()
    changed = head(queries, features, ReferenceText(other, text.valid))
    torch.testing.assert_close(changed, head(queries, features, text))


@torch.no_grad()
def test_padded_pixels_are_not_sampled(inputs: Any) -> None:
    queries, features, text = inputs
    valid = features.valid.clone()
    valid[:, :, 6:] = False
    padded = replace(features, valid=valid)
    other = features.features.clone()
    other[..., 6:] = 50
    head = decoder()
    first, second = (
        head(queries, padded, text),
        head(queries, replace(padded, features=other), text),
    )
    torch.testing.assert_close(first[..., :6], second[..., :6])


@torch.no_grad()
def test_switched_off_parts_are_not_read(inputs: Any) -> None:
    queries, features, text = inputs
    silent = ReferenceText(torch.zeros_like(text.features), text.valid)
    for wanted in (True, False):
        head = decoder(cross_modal_attention=wanted)
        same = torch.equal(head(queries, features, silent), head(queries, features, text))
        assert same is not wanted
    elsewhere = replace(queries, reference_boxes_cxcywh=queries.reference_boxes_cxcywh.flip(-1))
    for wanted in (True, False):
        head = decoder(deformable_cross_attention=wanted)
        same = torch.equal(head(elsewhere, features, text), head(queries, features, text))
        assert same is not wanted


def test_untrained_sampling_stays_near_the_box() -> None:
    """The value of one far cell cannot reach the embedding of a small box at the other corner."""
    head = GroundingGuidedMaskDecoder(16, 1, 2, 4, 32).eval()
    queries = MaskQueries(
        torch.randn(1, 1, 16), torch.tensor([[[0.1, 0.1, 0.1, 0.1]]]), torch.zeros(1, 1, 16)
    )
    pixels = torch.randn(1, 16, 20, 20, requires_grad=True)
    features = MaskFeatures(pixels, torch.ones(1, 20, 20, dtype=torch.bool), torch.ones(1, 2))
    text = ReferenceText(torch.randn(1, 2, 16), torch.ones(1, 2, dtype=torch.bool))
    embedding = head.layers[0](queries.features, queries, MaskScene.of(features, text))
    embedding[..., 0].sum().backward()
    assert pixels.grad is not None
    reached = pixels.grad.abs().sum((0, 1)) > 0
    assert bool(reached[:5, :5].any())
    assert not bool(reached[6:].any())
    assert not bool(reached[:, 6:].any())


def test_gradient_with_respect_to_the_reference_box() -> None:
    head = decoder()
    double = {"dtype": torch.float64}
    features = MaskFeatures(
        torch.randn(1, 16, 5, 5, **double),
        torch.ones(1, 5, 5, dtype=torch.bool),
        torch.ones(1, 2, **double),
    )
    text = ReferenceText(torch.randn(1, 2, 16, **double), torch.ones(1, 2, dtype=torch.bool))
    content, positions = torch.randn(1, 1, 16, **double), torch.randn(1, 1, 16, **double)

    def masks(boxes: Tensor) -> Tensor:
        logits: Tensor = head(MaskQueries(content, boxes, positions), features, text)
        return logits.mean((-1, -2))

    boxes = torch.tensor([[[0.43, 0.52, 0.31, 0.27]]], **double).requires_grad_()
    assert torch.autograd.gradcheck(masks, (boxes,), eps=1e-7, atol=1e-5)
    gradient = torch.autograd.grad(masks(boxes).sum(), boxes)[0]
    assert float(gradient.abs().min()) > 0


def test_published_size() -> None:
    head = GroundingGuidedMaskDecoder()
    num_parameters = sum(value.numel() for value in head.parameters())
    assert [layer.fc1.out_features for layer in head.layers] == [1024] * 3
    assert abs(num_parameters - 3_850_000) < 10_000
    text = "text_attention"
    without = GroundingGuidedMaskDecoder(cross_modal_attention=False)
    assert not any(text in name for name, _ in without.named_parameters())
