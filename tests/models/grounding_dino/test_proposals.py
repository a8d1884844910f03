"""Two-stage selection on hand-made memory."""

import torch
from torch import Tensor, nn

from rvos.models.grounding_dino.fusion_encoder import FusedFeatures
from rvos.models.grounding_dino.proposals import ProposalSelector, text_similarity
from rvos.structures import ImageFeatures, ReferenceText


class ZeroBoxHead(nn.Module):
    """Refines nothing, but lets gradient through."""

    def forward(self, features: Tensor) -> Tensor:
        return features[..., :4] * 0


def selector(num_queries: int) -> ProposalSelector:
    projection = nn.Linear(8, 8)
    with torch.no_grad():
        projection.weight.copy_(torch.eye(8))
        projection.bias.fill_(0.1)
    return ProposalSelector(projection, nn.LayerNorm(8), ZeroBoxHead(), num_queries)


def frame(valid: Tensor) -> tuple[FusedFeatures, ImageFeatures]:
    """One frame of two levels, 4x6 and 2x3; ``valid`` is the mask ``[1, 4, 6]`` of the first."""
    shapes = [(4, 6), (2, 3)]
    token_valid = torch.cat((valid.flatten(1), valid[:, ::2, ::2].flatten(1)), 1)
    generator = torch.Generator().manual_seed(0)
    memory = torch.randn(1, 30, 8, generator=generator, requires_grad=True)
    image = ImageFeatures(
        stage0=torch.zeros(1, 1, 1, 1),
        stage0_valid=torch.ones(1, 1, 1, dtype=torch.bool),
        tokens=memory,
        token_positions=memory,
        token_valid=token_valid,
        level_shapes=shapes,
        valid_ratios_xy=torch.ones(1, 2, 2),
    )
    text = ReferenceText(
        torch.randn(1, 2, 8, generator=generator), torch.ones(1, 2, dtype=torch.bool)
    )
    return FusedFeatures(memory, text), image


def test_best_tokens_come_first() -> None:
    fused, image = frame(torch.ones(1, 4, 6, dtype=torch.bool))
    proposals = selector(7)(fused, image)
    best = proposals.token_logits.sort(-1, descending=True)
    assert torch.equal(proposals.indices, best.indices[:, :7])
    scores = text_similarity(proposals.features, fused.text)
    torch.testing.assert_close(scores, best.values[:, :7])


def test_no_more_proposals_than_tokens() -> None:
    fused, image = frame(torch.ones(1, 4, 6, dtype=torch.bool))
    assert selector(900)(fused, image).indices.shape == (1, 30)


def test_boxes_are_cells_of_the_unpadded_frame() -> None:
    valid = torch.ones(1, 4, 6, dtype=torch.bool)
    valid[:, :, 4:] = False
    fused, image = frame(valid)
    proposals = selector(30)(fused, image)
    boxes = torch.empty(30, 4)
    boxes[proposals.indices[0]] = proposals.initial_boxes_cxcywh[0].detach()
    # Row-major cells: the first two of the first row, then the first of the second row.
    expected = torch.tensor([[0.125, 0.125, 0.05, 0.05], [0.375, 0.125, 0.05, 0.05]])
    torch.testing.assert_close(boxes[:2], expected)
    torch.testing.assert_close(boxes[6], torch.tensor([0.125, 0.375, 0.05, 0.05]))
    # The second level has 2x2 valid cells; its boxes are twice as big.
    torch.testing.assert_close(boxes[24], torch.tensor([0.25, 0.25, 0.1, 0.1]))
    torch.testing.assert_close(boxes[4], torch.ones(4))


def test_unusable_tokens_share_one_score() -> None:
    valid = torch.ones(1, 4, 6, dtype=torch.bool)
    valid[:, 3:] = False
    fused, image = frame(valid)
    proposals = selector(5)(fused, image)
    assert torch.equal(proposals.token_usable, image.token_valid)
    assert proposals.token_logits[~proposals.token_usable].unique().numel() == 1


def test_cells_at_the_border_of_wide_maps_are_unusable() -> None:
    """From 50 cells on, the outer centres lie within 1 % of the border."""
    for width, usable in ((49, True), (50, False), (80, False)):
        image = ImageFeatures(
            stage0=torch.zeros(1, 1, 1, 1),
            stage0_valid=torch.ones(1, 1, 1, dtype=torch.bool),
            tokens=torch.zeros(1, 3 * width, 8),
            token_positions=torch.zeros(1, 3 * width, 8),
            token_valid=torch.ones(1, 3 * width, dtype=torch.bool),
            level_shapes=[(3, width)],
            valid_ratios_xy=torch.ones(1, 1, 2),
        )
        text = ReferenceText(torch.ones(1, 1, 8), torch.ones(1, 1, dtype=torch.bool))
        found = selector(5)(FusedFeatures(torch.randn(1, 3 * width, 8), text), image)
        columns = found.token_usable.view(3, width)
        assert bool(columns[:, 0].all()) is bool(columns[:, -1].all()) is usable
        assert bool(columns[:, 1:-1].all())


def test_features_keep_their_gradient() -> None:
    fused, image = frame(torch.ones(1, 4, 6, dtype=torch.bool))
    selector(5)(fused, image).features[..., 0].sum().backward()
    assert fused.memory.grad is not None
    reached = (fused.memory.grad.abs().sum(-1) > 0).sum()
    assert int(reached) == 5


def test_padded_tokens_are_no_match() -> None:
    words = torch.tensor([[[1.0, 0.0], [0.0, 9.0]]])
    queries = torch.tensor([[[1.0, 1.0]]])
    valid = torch.tensor([[True, False]])
    assert float(text_similarity(queries, ReferenceText(words, valid))) == 1
