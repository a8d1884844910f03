"""The released implementation on one clip without padding: every choice equal, values close.

The released code keeps its geometry (sine embeddings of pixels, proposal boxes, encoder reference
points) in float32 even in its float64 run, as ours does. One unit in the last place of a float32
sine or logarithm, which differs between builds of torch, moves mask logits (up to 61) by about
1e-5: with these functions rounded correctly the largest deviation is 8e-6.
"""

from typing import Any

import pytest
import torch
from torch import Tensor

from rvos.models.grounding_dino.prompt import phrase_blocks
from rvos.structures import TextTokens

pytestmark = pytest.mark.parity


def deviation(value: Tensor, reference: Tensor) -> float:
    return float((value.double() - reference.double()).abs().max())


def tokens(golden: dict[str, Tensor]) -> TextTokens:
    return TextTokens(golden["input.input_ids"], golden["input.attention_mask"])


def test_float64_equals_the_released_implementation(
    run_a64: Any, case_a: dict[str, Tensor]
) -> None:
    output, grounding = run_a64.output, run_a64.grounding

    assert torch.equal(grounding.proposals.indices, case_a["mid.topk_proposals"].long())
    assert [layer.kept.shape[1] for layer in grounding.layers] == [450, 225, 113, 57, 29, 15]
    for index, layer in enumerate(grounding.layers):
        assert torch.equal(layer.kept.T, case_a[f"mid.kept{index}"].long()), f"layer {index}"
        for frame in (1, 2, 3):
            expected = case_a[f"mid.perm_layer{index}_frame{frame}"].long()
            assert torch.equal(run_a64.track_orders[index][:, frame], expected)

    assert deviation(output.pred_logits, case_a["f64.fwd.pred_logits"]) <= 1e-5
    assert deviation(output.pred_boxes, case_a["f64.fwd.pred_boxes"]) <= 1e-5
    assert deviation(output.pred_masks, case_a["f64.fwd.pred_masks"]) <= 2e-5
    # The intermediate outputs are stored from the float32 run only.
    for index, auxiliary in enumerate(output.aux_outputs):
        assert deviation(auxiliary.pred_logits, case_a[f"fwd.aux{index}.pred_logits"]) <= 1e-4
        assert deviation(auxiliary.pred_boxes, case_a[f"fwd.aux{index}.pred_boxes"]) <= 1e-4
    proposals = output.proposal_output
    for name in ("pred_logits", "pred_boxes", "proposal_boxes"):
        assert deviation(getattr(proposals, name), case_a[f"fwd.proposals.{name}"]) <= 1e-4


def test_text_blocks_are_the_released_ones(case_a: dict[str, Tensor]) -> None:
    may_attend, position_ids = phrase_blocks(case_a["input.input_ids"])
    assert torch.equal(may_attend, case_a["text.self_attention_mask"])
    assert torch.equal(position_ids, case_a["text.position_ids"])


@pytest.mark.slow
def test_float32_equals_the_released_implementation(
    run_a32: Any, case_a: dict[str, Tensor]
) -> None:
    scores, theirs = run_a32.grounding.proposals.token_logits, run_a32.grounding.proposals.indices
    ours = scores.topk(900).indices
    gap = (scores.gather(1, ours) - scores.gather(1, theirs)).abs()
    assert float(gap.max()) <= 2e-5
    assert float((ours != theirs).float().mean()) <= 0.005
    output = run_a32.output
    assert deviation(output.pred_logits, case_a["f64.fwd.pred_logits"]) <= 1e-4
    assert deviation(output.pred_boxes, case_a["f64.fwd.pred_boxes"]) <= 1e-4
    assert deviation(output.pred_masks, case_a["f64.fwd.pred_masks"]) <= 1e-3


@pytest.mark.slow
def test_plain_forward_equals_the_last_layer_in_chunks(
    run_a64: Any, case_a: dict[str, Tensor]
) -> None:
    model = run_a64.model
    model.frames_per_chunk = 3
    with torch.no_grad():
        output = model(case_a["input.pixel_values"].double(), tokens(case_a))
    model.frames_per_chunk = 36
    for name in ("pred_logits", "pred_boxes", "pred_masks"):
        assert deviation(getattr(output, name), getattr(run_a64.output, name)) <= 1e-8


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "enhance"), [("infer", True), ("fwd", False)])
def test_single_frame_follows_both_released_rules(
    run_a32: Any, case_a: dict[str, Tensor], rule: str, enhance: bool
) -> None:
    model = run_a32.model
    model.enhance_single_frames = enhance
    with torch.no_grad():
        output = model(case_a["input.pixel_values"][:, :1], tokens(case_a))
    model.enhance_single_frames = True
    assert deviation(output.pred_logits, case_a[f"single_frame.{rule}.pred_logits"]) <= 1e-4
    assert deviation(output.pred_boxes, case_a[f"single_frame.{rule}.pred_boxes"]) <= 1e-4
    assert deviation(output.pred_masks, case_a[f"single_frame.{rule}.pred_masks"]) <= 1e-3
