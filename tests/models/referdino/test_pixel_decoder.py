"""The FPN and its crop."""

from collections.abc import Callable

import pytest
import torch

from rvos.models.referdino import FPNPixelDecoder, ReferDINO
from rvos.models.referdino.pixel_decoder import crop_to_stride4
from rvos.structures import ImageFeatures


def image(height: int, width: int, channels: int = 64) -> ImageFeatures:
    shapes = [(-(-height // stride), -(-width // stride)) for stride in (8, 16, 32, 64)]
    num_tokens = sum(h * w for h, w in shapes)
    size = (-(-height // 4), -(-width // 4))
    return ImageFeatures(
        stage0=torch.randn(2, 16, *size),
        stage0_valid=torch.ones(2, *size, dtype=torch.bool),
        tokens=torch.randn(2, num_tokens, channels),
        token_positions=torch.zeros(2, num_tokens, channels),
        token_valid=torch.ones(2, num_tokens, dtype=torch.bool),
        level_shapes=shapes,
        valid_ratios_xy=torch.ones(2, 4, 2),
    )


def test_published_widths() -> None:
    decoder = FPNPixelDecoder()
    convolutions = [block[0] for block in decoder.convolutions]  # type: ignore[index]
    assert [layer.out_channels for layer in convolutions] == [256, 128, 64, 32, 16]
    # 1.07 M in the paper's Swin-T model.
    assert sum(value.numel() for value in decoder.parameters()) // 10_000 == 107


@pytest.mark.parametrize(("height", "width"), [(64, 64), (45, 75)])
def test_output_is_at_stride_four(height: int, width: int) -> None:
    features = image(height, width)
    output = FPNPixelDecoder(64, 16)(features.tokens, features)
    assert output.shape == (2, 64, -(-height // 4), -(-width // 4))


def test_frames_stay_apart_and_the_coarsest_level_is_unused() -> None:
    features = image(64, 64)
    decoder = FPNPixelDecoder(64, 16).eval()
    output = decoder(features.tokens, features)
    changed = features.tokens.clone()
    changed[:, -1:] += 1
    assert torch.equal(decoder(changed, features), output)
    changed[0, :-1] += 1
    moved = decoder(changed, features)
    assert not torch.equal(moved[0], output[0])
    torch.testing.assert_close(moved[1], output[1])


def test_crop_leaves_nothing_that_a_frame_covers() -> None:
    masks = torch.arange(64.0).view(1, 8, 8)
    assert crop_to_stride4(masks, 29, 32).shape == (1, 8, 8)
    assert torch.equal(crop_to_stride4(masks, 28, 5), masks[:, :7, :2])


@torch.no_grad()
def test_model_crops_what_a_backbone_padded(
    make_model: Callable[..., ReferDINO], make_tokens: Callable[..., object]
) -> None:
    backbone = {"model_type": "convnext", "hidden_sizes": [16, 16, 16, 16], "depths": [1] * 4}
    model = make_model(grounder={"backbone_config": backbone})
    frames = torch.randn(1, 1, 3, 37, 61, dtype=torch.float64)
    assert model(frames, make_tokens([7])).pred_masks.shape[-2:] == (10, 16)


@torch.no_grad()
def test_mask_features_are_made_of_the_narrowest_map() -> None:
    decoder, features = FPNPixelDecoder(64, 16), image(65, 97)
    narrow = decoder.refine(features.tokens, features)
    assert narrow.shape == (2, 16, 17, 25)
    assert torch.equal(decoder.output(narrow), decoder(features.tokens, features))
