"""The image part: geometry, padding, and independence of the frames."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from rvos.models.grounding_dino.image_encoder import valid_ratio_xy
from rvos.models.referdino import ReferDINO


def full(frames: torch.Tensor) -> torch.Tensor:
    return torch.ones(frames[:, 0].shape, dtype=torch.bool)


@torch.no_grad()
def test_geometry_of_the_levels(model: ReferDINO) -> None:
    frames = torch.randn(2, 3, 45, 75, dtype=torch.float64)
    image = model.grounder.image_encoder(frames, full(frames))
    assert image.stage0.shape == (2, 16, 12, 19)
    assert image.level_shapes == [(6, 10), (3, 5), (2, 3), (1, 2)]
    num_tokens = 60 + 15 + 6 + 2
    assert image.tokens.shape == image.token_positions.shape == (2, num_tokens, 64)
    assert bool(image.token_valid.all())
    assert torch.equal(image.valid_ratios_xy, torch.ones(2, 4, 2))


@torch.no_grad()
def test_frames_do_not_see_each_other(model: ReferDINO) -> None:
    frames = torch.randn(3, 3, 32, 48, dtype=torch.float64)
    encoder = model.grounder.image_encoder
    together = encoder(frames, full(frames))
    alone = encoder(frames[1:2], full(frames[1:2]))
    torch.testing.assert_close(together.tokens[1:2], alone.tokens)
    torch.testing.assert_close(together.stage0[1:2], alone.stage0)


@torch.no_grad()
def test_padding_is_marked_on_every_level(model: ReferDINO) -> None:
    frames = torch.randn(1, 3, 64, 96, dtype=torch.float64)
    valid = full(frames)
    valid[:, :, 48:] = False
    image = model.grounder.image_encoder(frames, valid)
    # The 1x2 level has its first cell on the image and its second off it.
    assert torch.equal(image.valid_ratios_xy[0, :, 1], torch.ones(4))
    torch.testing.assert_close(
        image.valid_ratios_xy[0, :, 0], torch.tensor([0.5, 0.5, 2 / 3, 0.5]), rtol=1e-6, atol=0
    )
    assert not bool(image.stage0_valid[:, :, 12:].any())
    assert bool(image.stage0_valid[:, :, :12].all())


@torch.no_grad()
@pytest.mark.parametrize(
    "backbone",
    [
        {"model_type": "convnext", "hidden_sizes": [16, 16, 16, 16], "depths": [1] * 4},
        {
            "model_type": "resnet",
            "embedding_size": 16,
            "hidden_sizes": [16, 16, 16, 16],
            "depths": [1] * 4,
            "layer_type": "basic",
        },
    ],
)
def test_backbones_that_drop_border_pixels_get_padded_frames(
    make_model: Callable[..., ReferDINO], backbone: dict[str, Any]
) -> None:
    encoder = make_model(grounder={"backbone_config": backbone}).grounder.image_encoder
    assert encoder.size_divisibility == 32
    frames = torch.randn(1, 3, 37, 61, dtype=torch.float64)
    image = encoder(frames, full(frames))
    assert image.stage0.shape == (1, 16, 16, 16)
    assert image.level_shapes == [(8, 8), (4, 4), (2, 2), (1, 1)]
    assert not bool(image.token_valid.all())
    assert float(image.valid_ratios_xy.max()) <= 1


def test_valid_ratio_counts_rows_and_columns() -> None:
    valid = torch.zeros(2, 4, 8, dtype=torch.bool)
    valid[0, :3, :2] = True
    valid[1] = True
    assert valid_ratio_xy(valid).tolist() == [[0.25, 0.75], [1.0, 1.0]]


def test_unused_norm_of_swin_is_gone(model: ReferDINO) -> None:
    names = model.grounder.image_encoder.backbone.state_dict()
    assert "swin.layernorm.weight" not in names
    assert {name for name in names if "hidden_states_norms.stage1" in name}
