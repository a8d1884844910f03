"""A video that passes the stages in parts gives what the whole clip gives."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from rvos.models.mask_heads import DynamicMaskHead, StaticMaskHead
from rvos.models.referdino import ReferDINO
from rvos.models.referdino.frame_parts import (
    EnhancedQueries,
    FramePixels,
    FrameQueries,
    join_pixels,
    join_queries,
)
from rvos.structures import SegmentationOutput, TextTokens

DIM = 64


def first(tokens: TextTokens) -> TextTokens:
    length = int(tokens.attention_mask[0].sum())
    return TextTokens(tokens.input_ids[:1, :length], tokens.attention_mask[:1, :length])


@torch.no_grad()
def in_parts(model: ReferDINO, clip: Tensor, tokens: TextTokens, size: int) -> SegmentationOutput:
    """Frames in parts of ``size``, then masks in parts of one."""
    expression = model.encode_expression(tokens)
    queries, pixels, memory = [], [], None
    for frames in clip.split(size, 1):
        for chunk in model.encode_frames(frames):
            grounded = model.ground_frames(chunk, expression)
            aligned = model.align_queries(grounded.queries, memory)
            memory = aligned.memory
            queries.append(aligned.queries)
            pixels.append(grounded.pixels)
    enhanced = model.enhance_queries(join_queries(queries), expression)
    frame_size = (clip.shape[-2], clip.shape[-1])
    masks = [
        model.decode_masks(*part, frame_size) for part in _one_by_one(enhanced, join_pixels(pixels))
    ]
    return SegmentationOutput(
        enhanced.pred_logits[None], enhanced.pred_boxes[None], torch.cat(masks)[None]
    )


def _one_by_one(
    enhanced: EnhancedQueries, pixels: FramePixels
) -> list[tuple[FrameQueries, FramePixels]]:
    return [
        (enhanced.queries.select(frame, frame + 1), pixels.select(frame, frame + 1))
        for frame in range(len(pixels))
    ]


def assert_same(found: SegmentationOutput, expected: SegmentationOutput) -> None:
    for name in ("pred_logits", "pred_boxes", "pred_masks"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), rtol=0, atol=1e-9)


@torch.no_grad()
@pytest.mark.parametrize("size", [1, 2, 3])
def test_parts_equal_the_whole(
    model: ReferDINO, clips: Tensor, tokens: TextTokens, size: int
) -> None:
    expected = model(clips[:1], first(tokens))
    assert_same(in_parts(model, clips[:1], first(tokens), size), expected)


@torch.no_grad()
@pytest.mark.parametrize(
    "parts",
    [
        {"enhancer": False},
        {"enhance_single_frames": False},
        {"mask_head": StaticMaskHead(DIM)},
        {"mask_head": DynamicMaskHead(DIM)},
    ],
)
@pytest.mark.parametrize("num_frames", [1, 3])
def test_parts_equal_the_whole_with_other_parts(
    make_model: Callable[..., ReferDINO],
    clips: Tensor,
    tokens: TextTokens,
    parts: dict[str, object],
    num_frames: int,
) -> None:
    model = make_model(**parts)
    clip = clips[:1, :num_frames]
    assert_same(in_parts(model, clip, first(tokens), 2), model(clip, first(tokens)))
