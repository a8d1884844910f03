"""Fusion of image and expression."""

import torch
from torch import Tensor

from rvos.models.grounding_dino.fusion_encoder import FusionEncoder
from rvos.models.referdino import ReferDINO
from rvos.structures import TextTokens


@torch.no_grad()
def test_both_sides_read_each_other(model: ReferDINO, clips: Tensor, tokens: TextTokens) -> None:
    grounder = model.grounder
    frames = clips[:, 0]
    image = grounder.image_encoder(frames, torch.ones(2, 44, 72, dtype=torch.bool))
    expressions = grounder.text_encoder(tokens)
    fused = grounder.fusion_encoder(image, expressions)
    assert fused.memory.shape == image.tokens.shape
    assert fused.text.features.shape == expressions.features.shape
    swapped = grounder.text_encoder(
        TextTokens(tokens.input_ids.flip(0), tokens.attention_mask.flip(0))
    )
    other = grounder.fusion_encoder(image, swapped)
    assert not torch.allclose(other.memory, fused.memory)
    # Token 0 knows nothing but itself before fusion, and the whole frame and expression after it.
    assert torch.equal(expressions.features[0, 0], expressions.features[1, 0])
    assert not torch.allclose(fused.text.features[0, 0], other.text.features[1, 0])


@torch.no_grad()
def test_padded_tokens_do_not_reach_the_image(model: ReferDINO, clips: Tensor) -> None:
    grounder = model.grounder
    image = grounder.image_encoder(clips[0], torch.ones(3, 44, 72, dtype=torch.bool))
    results = []
    for padding in (0, 3):
        ids = torch.tensor([[101, 7, 1012, 102] + [9] * padding])
        mask = torch.tensor([[1] * 4 + [0] * padding])
        expressions = grounder.text_encoder(TextTokens(ids, mask)).repeat_frames(3)
        results.append(grounder.fusion_encoder(image, expressions))
    torch.testing.assert_close(results[0].memory, results[1].memory)
    torch.testing.assert_close(results[0].text.features, results[1].text.features[:, :4])


def test_reference_points_are_cell_centres_scaled_by_the_valid_share(
    model: ReferDINO, clips: Tensor
) -> None:
    frames = torch.zeros(1, 3, 64, 64, dtype=torch.float64)
    valid = torch.ones(1, 64, 64, dtype=torch.bool)
    valid[:, :, 32:] = False
    image = model.grounder.image_encoder(frames, valid)
    points = FusionEncoder._reference_points(image)
    # The first cell of the 8x8 level, seen from every level: half its 1/4 share of the valid width.
    torch.testing.assert_close(points[0, 0, 0], torch.tensor([0.0625, 0.0625]))
    torch.testing.assert_close(points[0, :, 0], points[0, :, 1])
    assert points.shape == (1, 64 + 16 + 4 + 1, 4, 2)
