"""What must hold whatever the weights are: invariances first, then shapes and switches."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from rvos.models.grounding_dino import (
    ConfidenceQueryPruner,
    ExpressionTokenizer,
    Grounder,
    RandomQueryPruner,
)
from rvos.models.mask_heads import DynamicMaskHead, StaticMaskHead
from rvos.models.referdino import FPNPixelDecoder, GroundingGuidedMaskDecoder, ReferDINO
from rvos.structures import SegmentationOutput, TextTokens

Build = Callable[..., ReferDINO]
DIM = 64
PREDICTIONS = ("pred_logits", "pred_boxes", "pred_masks")


def assert_equal(first: Any, second: Any, tolerance: float = 1e-9) -> None:
    for name in PREDICTIONS:
        torch.testing.assert_close(
            getattr(first, name), getattr(second, name), rtol=0, atol=tolerance
        )


def clip(output: SegmentationOutput, index: int) -> SegmentationOutput:
    return SegmentationOutput(*(getattr(output, name)[index : index + 1] for name in PREDICTIONS))


def row(tokens: TextTokens, index: int) -> TextTokens:
    """One expression without the padding that its batch needed."""
    length = int(tokens.attention_mask[index].sum())
    ids = tokens.input_ids[index : index + 1, :length]
    return TextTokens(ids, tokens.attention_mask[index : index + 1, :length])


@torch.no_grad()
def test_clip_in_a_batch_equals_the_clip_alone(
    model: ReferDINO, clips: Tensor, tokens: TextTokens
) -> None:
    together = model(clips, tokens)
    for index in range(2):
        assert_equal(clip(together, index), model(clips[index : index + 1], row(tokens, index)))


@torch.no_grad()
def test_auxiliary_outputs_in_a_batch_equal_those_alone(
    model: ReferDINO, clips: Tensor, tokens: TextTokens
) -> None:
    together = model.forward_with_auxiliary(clips, tokens)
    alone = model.forward_with_auxiliary(clips[1:], row(tokens, 1))
    for batched, single in zip(together.aux_outputs, alone.aux_outputs, strict=True):
        assert_equal(clip(batched, 1), single)
    assert_equal(clip(together.proposal_output, 1), alone.proposal_output)
    # The shorter expression's five tokens, then padding.
    torch.testing.assert_close(together.word_logits[1:, ..., :5], alone.word_logits)
    assert bool(together.word_logits[1, ..., 5:].isneginf().all())


@torch.no_grad()
def test_order_of_the_clips_does_not_matter(
    model: ReferDINO, clips: Tensor, tokens: TextTokens
) -> None:
    swapped = TextTokens(tokens.input_ids.flip(0), tokens.attention_mask.flip(0))
    forwards, backwards = model(clips, tokens), model(clips.flip(0), swapped)
    for index in range(2):
        assert_equal(clip(forwards, index), clip(backwards, 1 - index))


@settings(max_examples=5)
@given(padding=st.integers(0, 1099), extra=st.integers(1, 5))
@torch.no_grad()
def test_text_padding_is_not_read(
    model: ReferDINO, make_tokens: Callable[..., TextTokens], padding: int, extra: int
) -> None:
    frames = torch.randn(
        1, 2, 3, 32, 48, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    plain = make_tokens([7, 8, 9])
    ids = torch.nn.functional.pad(plain.input_ids, (0, extra), value=padding)
    mask = torch.nn.functional.pad(plain.attention_mask, (0, extra))
    assert_equal(model(frames, plain), model(frames, TextTokens(ids, mask)))


@torch.no_grad()
def test_expression_matters(model: ReferDINO, clips: Tensor, tokens: TextTokens) -> None:
    swapped = TextTokens(tokens.input_ids.flip(0), tokens.attention_mask.flip(0))
    difference = model(clips, tokens).pred_logits - model(clips, swapped).pred_logits
    assert float(difference.abs().max()) > 1e-4


@torch.no_grad()
@pytest.mark.parametrize("frames_per_chunk", [1, 2, 4, 5])
def test_chunks_equal_the_whole(
    make_model: Build, model: ReferDINO, clips: Tensor, tokens: TextTokens, frames_per_chunk: int
) -> None:
    chunked = make_model(frames_per_chunk=frames_per_chunk)
    assert len(chunked.encode_frames(clips)) == -(-6 // frames_per_chunk)
    assert_equal(chunked(clips, tokens), model(clips, tokens))


@torch.no_grad()
def test_expressions_share_the_image_part(
    model: ReferDINO, clips: Tensor, tokens: TextTokens
) -> None:
    image = model.encode_frames(clips[:1])
    for index in range(2):
        expression = row(tokens, index)
        shared = model.segment_features(image, expression, (44, 72))
        assert_equal(shared, model(clips[:1], expression), tolerance=0)


@torch.no_grad()
@pytest.mark.parametrize("num_frames", [1, 3])
@pytest.mark.parametrize("enhance", [True, False])
def test_plain_forward_equals_the_last_auxiliary_layer(
    make_model: Build, clips: Tensor, tokens: TextTokens, num_frames: int, enhance: bool
) -> None:
    model = make_model(enhance_single_frames=enhance)
    plain = model(clips[:, :num_frames], tokens)
    assert_equal(plain, model.forward_with_auxiliary(clips[:, :num_frames], tokens))


@torch.no_grad()
def test_single_frames_are_enhanced_or_not(
    make_model: Build, model: ReferDINO, clips: Tensor, tokens: TextTokens
) -> None:
    frame = clips[:, :1]
    enhanced, skipped = model(frame, tokens), make_model(enhance_single_frames=False)
    without = make_model(enhancer=False)(frame, tokens)
    assert_equal(skipped(frame, tokens), without, tolerance=0)
    assert float((enhanced.pred_logits - without.pred_logits).abs().max()) > 1e-4
    # With more frames the switch changes nothing.
    assert_equal(skipped(clips, tokens), model(clips, tokens), tolerance=0)


@torch.no_grad()
def test_positions_start_without_effect(
    make_untouched_model: Build, clips: Tensor, tokens: TextTokens
) -> None:
    published = make_untouched_model().double().eval()
    state = published.state_dict()
    head = GroundingGuidedMaskDecoder(DIM, 2, 4, 4, 32, mask_position="sine")
    for position in ("sine", "sine_and_box", "sine_box_and_motion"):
        placed = make_untouched_model(temporal_position=position, mask_head=head).double().eval()
        new = {name for name in placed.state_dict() if name not in state}
        assert new
        placed.load_state_dict(state, strict=False)
        assert_equal(placed(clips, tokens), published(clips, tokens), tolerance=0)


def test_every_parameter_learns(
    make_model: Build, clips: Tensor, make_tokens: Callable[..., TextTokens]
) -> None:
    """A parameter without gradient would be dead weight, and stop distributed training."""
    head = GroundingGuidedMaskDecoder(DIM, 2, 4, 4, 32, mask_position="sine")
    model = make_model(temporal_position="sine_box_and_motion", mask_head=head).train()
    # Long enough that a phrase closes before the last column.
    output = model.forward_with_auxiliary(clips, make_tokens([7, 8, 9, 10], [11, 12]))
    total = torch.zeros((), dtype=torch.float64)
    for part in (output, *output.aux_outputs, output.proposal_output):
        for name in PREDICTIONS:
            total = total + getattr(part, name).square().mean()
    total.backward()
    without = [name for name, value in model.named_parameters() if value.grad is None]
    assert without == []


@torch.no_grad()
@pytest.mark.parametrize(
    ("architecture", "stage0_channels"), [("tiny", 32), ("tiny_convnext", 32), ("tiny_resnet", 32)]
)
@pytest.mark.parametrize(("height", "width"), [(48, 64), (37, 61)])
def test_shapes_of_the_tiny_configurations(
    make_tokens: Callable[..., TextTokens],
    architecture: Any,
    stage0_channels: int,
    height: int,
    width: int,
) -> None:
    model = ReferDINO(
        Grounder(architecture, ConfidenceQueryPruner(min_queries=6)),
        None,
        FPNPixelDecoder(128, stage0_channels, min_width=32),
        GroundingGuidedMaskDecoder(128, 1, feedforward_dim=64),
    ).eval()
    output = model.forward_with_auxiliary(torch.randn(1, 2, 3, height, width), make_tokens([7, 8]))
    stride4 = (-(-height // 4), -(-width // 4))
    assert output.pred_logits.shape == (1, 2, 6, 1)
    assert output.pred_boxes.shape == (1, 2, 6, 4)
    assert output.pred_masks.shape == (1, 2, 6, *stride4)
    num_proposals = min(model.grounder.config.num_queries, output.word_logits.shape[2])
    assert output.proposal_output.pred_masks.shape == (1, 2, num_proposals, *stride4)
    assert [part.pred_logits.shape[2] for part in output.aux_outputs] == [
        max(-(-num_proposals // 2), 6),
        max(-(-num_proposals // 4), 6),
    ]
    assert sum(h * w for h, w in output.level_shapes) == output.word_logits.shape[2]
    for value in (getattr(output, name) for name in PREDICTIONS):
        assert torch.isfinite(value).all()
    assert 0 <= float(output.pred_boxes.min()) <= float(output.pred_boxes.max()) <= 1


@torch.no_grad()
@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 50), (33, 4), (45, 75)])
def test_any_frame_size(
    model: ReferDINO, make_tokens: Callable[..., TextTokens], height: int, width: int
) -> None:
    output = model(torch.randn(1, 1, 3, height, width, dtype=torch.float64), make_tokens([7]))
    assert output.pred_masks.shape[-2:] == (-(-height // 4), -(-width // 4))
    assert torch.isfinite(output.pred_masks).all()


def test_shapes_of_the_published_configurations() -> None:
    for name, channels in (("swin_tiny", 96), ("swin_base", 128)):
        with torch.device("meta"):
            grounder = Grounder(name)  # type: ignore[arg-type]
        assert grounder.image_encoder.stage0_channels == channels
        assert grounder.hidden_dim == 256
        assert grounder.config.num_queries == 900
        assert grounder.query_embeddings.weight.shape == (900, 256)
        assert len(grounder.fusion_encoder.layers) == len(grounder.query_decoder.layers) == 6
        assert grounder.image_encoder.level_embed.shape == (4, 256)
        assert grounder.query_embeddings.weight.is_meta


@torch.no_grad()
def test_padding_of_frames_is_no_place_for_boxes(
    model: ReferDINO, clips: Tensor, tokens: TextTokens
) -> None:
    valid = torch.ones(2, 3, 44, 72, dtype=torch.bool)
    valid[:, :, :, 36:] = False
    output = model.forward_with_auxiliary(clips * valid.unsqueeze(2), tokens, valid)
    start = 0
    for height, width in output.level_shapes:
        logits = output.word_logits.amax(-1)[..., start : start + height * width]
        start += height * width
        columns = logits.unflatten(-1, (height, width))[..., (width + 1) // 2 :]
        assert torch.isneginf(columns).all()
    # Boxes are relative to the unpadded frame: proposals of its cells cover all of it.
    boxes = output.proposal_output.proposal_boxes
    usable = (boxes < 0.99).all(-1)
    assert float(boxes[usable][:, 0].max()) > 0.8


@pytest.mark.parametrize(
    "part",
    [
        {"mask_head": StaticMaskHead(DIM)},
        {"mask_head": DynamicMaskHead(DIM)},
        {"mask_head": GroundingGuidedMaskDecoder(DIM, 1, 4, 4, 32, cross_modal_attention=False)},
        {"mask_head": GroundingGuidedMaskDecoder(DIM, 1, 4, 4, 32, True, False)},
        {"mask_head": GroundingGuidedMaskDecoder(DIM, 1, 4, 4, 32, mask_position="sine")},
        {"temporal_position": "sine"},
        {"temporal_position": "sine_and_box"},
        {"temporal_position": "sine_box_and_motion"},
        {"enhancer": False},
        {"pruner": RandomQueryPruner(min_queries=6)},
        {"pruner": ConfidenceQueryPruner(keep_ratio=1.0)},
        {"pruner": ConfidenceQueryPruner(score="paper", min_queries=6)},
        {"from_scratch": True},
    ],
    ids=lambda part: "-".join(f"{key}" for key in part),
)
def test_every_variant_takes_a_step(
    make_untouched_model: Build, clips: Tensor, tokens: TextTokens, part: dict[str, Any]
) -> None:
    model = make_untouched_model(**part).train()
    output = model.forward_with_auxiliary(clips.float(), tokens)
    loss = sum(getattr(output, name).square().mean() for name in PREDICTIONS)
    loss.backward()
    gradients = [value.grad for value in model.mask_head.parameters() if value.grad is not None]
    assert gradients
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert any(float(gradient.abs().max()) > 0 for gradient in gradients)


def test_checkpointed_activations_give_the_same_gradients(
    make_untouched_model: Build,
    randomise_parameters: Callable[..., Any],
    clips: Tensor,
    tokens: TextTokens,
) -> None:
    gradients = []
    for wanted in (False, True):
        model = make_untouched_model()
        model.grounder.fusion_encoder.checkpoint_activations = wanted
        model.grounder.query_decoder.checkpoint_activations = wanted
        randomise_parameters(model).double().train()
        output = model.forward_with_auxiliary(clips, tokens)
        (output.pred_masks.square().mean() + output.pred_boxes.sum()).backward()
        gradients.append({n: p.grad for n, p in model.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], rtol=1e-9, atol=1e-12)


@torch.no_grad()
def test_saved_model_predicts_the_same(
    make_untouched_model: Build, clips: Tensor, tokens: TextTokens, tmp_path: Path
) -> None:
    from rvos.models.loading import load_model

    model = make_untouched_model(temporal_position="sine").eval()
    model.save_pretrained(tmp_path / "new" / "folder")
    loaded = load_model(tmp_path / "new" / "folder")
    assert not loaded.training
    assert_equal(loaded(clips.float(), tokens), model(clips.float(), tokens), tolerance=0)


def test_tokens_move_to_the_model(model: ReferDINO, make_tokens: Callable[..., TextTokens]) -> None:
    moved = model.tokenize(make_tokens([7]))
    device = model.grounder.query_embeddings.weight.device
    assert {getattr(moved, field.name).device for field in fields(moved)} == {device}
    assert isinstance(model.tokenizer, ExpressionTokenizer)
    assert model.tokenizer.max_tokens == 16
