"""Image features count tokens and levels consistently."""

import jaxtyping
import pytest
import torch

from rvos.structures import ImageFeatures


def make_features(num_valid: int) -> ImageFeatures:
    """Features of one frame with two levels of 12 + 6 tokens."""
    return ImageFeatures(
        stage0=torch.zeros(1, 4, 8, 12),
        stage0_valid=torch.ones(1, 8, 12, dtype=torch.bool),
        tokens=torch.zeros(1, 18, 16),
        token_positions=torch.zeros(1, 18, 16),
        token_valid=torch.ones(1, num_valid, dtype=torch.bool),
        level_shapes=[(3, 4), (2, 3)],
        valid_ratios_xy=torch.ones(1, 2, 2),
    )


def test_levels_add_up_to_the_tokens() -> None:
    features = make_features(18)
    num_tokens = sum(height * width for height, width in features.level_shapes)
    assert num_tokens == features.tokens.shape[1]


def test_every_token_is_valid_or_not() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        make_features(17)
