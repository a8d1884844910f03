"""The released implementation on one clip without padding: every choice equal, values close."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from rvos.inference.selection import TopOne, resize_mask_logits
from rvos.models.grounding_dino.prompt import phrase_blocks
from rvos.structures import SegmentationOutput, TextTokens

pytestmark = pytest.mark.parity
Tokens = Callable[[dict[str, Tensor]], TextTokens]

FLOAT32 = {"pred_logits": 2e-4, "pred_boxes": 1e-5, "pred_masks": 5e-3}
FRAMES = (1, 2, 3)


def check_output(
    deviations: Any,
    case: str,
    output: SegmentationOutput,
    golden: dict[str, Tensor],
    prefix: str,
    tolerances: dict[str, float],
) -> None:
    for name, tolerance in tolerances.items():
        values = getattr(output, name), golden[f"{prefix}.{name}"]
        deviations.check(case, name, values, tolerance)


def check_selected_mask(
    deviations: Any, case: str, output: SegmentationOutput, golden: dict[str, Tensor], prefix: str
) -> None:
    """Compare the masks that a user gets."""
    selected = TopOne()(golden[f"{prefix}.pred_logits"][0])
    assert torch.equal(TopOne()(output.pred_logits[0]), selected)
    ours, theirs = (
        resize_mask_logits(masks[0, :, selected], (180, 300), (180, 300)) > 0
        for masks in (output.pred_masks, golden[f"{prefix}.pred_masks"])
    )
    overlap = float((ours & theirs).sum() / (ours | theirs).sum())
    deviations.note(case, "IoU of the selected masks", f"{overlap:.6f}", "0.9999")
    assert overlap >= 0.9999


def check_choices(run: Any, golden: dict[str, Tensor]) -> None:
    assert torch.equal(run.grounding.proposals.indices, golden["mid.topk_proposals"].long())
    assert [layer.kept.shape[1] for layer in run.grounding.layers] == [450, 225, 113, 57, 29, 15]
    for index, layer in enumerate(run.grounding.layers):
        assert torch.equal(layer.kept.T, golden[f"mid.kept{index}"].long()), f"layer {index}"
        for frame in FRAMES:
            expected = golden[f"mid.perm_layer{index}_frame{frame}"].long()
            assert torch.equal(run.track_orders[index][:, frame], expected)


def check_earlier_outputs(
    deviations: Any, case: str, run: Any, golden: dict[str, Tensor], proposals: str
) -> None:
    tolerances = {name: FLOAT32[name] for name in ("pred_logits", "pred_boxes")}
    for index, auxiliary in enumerate(run.output.aux_outputs):
        prefix = f"fwd.aux{index}"
        check_output(deviations, f"{case}, layer {index}", auxiliary, golden, prefix, tolerances)
    tolerances["proposal_boxes"] = FLOAT32["pred_boxes"]
    found = run.output.proposal_output
    check_output(deviations, f"{case}, proposals", found, golden, proposals, tolerances)


def test_float64_equals_the_released_implementation(
    run_a64: Any, case_a: dict[str, Tensor], deviations: Any
) -> None:
    check_choices(run_a64, case_a)
    tolerances = dict.fromkeys(FLOAT32, 1e-5)
    check_output(deviations, "A float64", run_a64.output, case_a, "f64.fwd", tolerances)
    # The earlier outputs are stored from the float32 run only.
    check_earlier_outputs(deviations, "A float64", run_a64, case_a, "fwd.proposals")


def test_text_blocks_are_the_released_ones(case_a: dict[str, Tensor]) -> None:
    may_attend, position_ids = phrase_blocks(case_a["input.input_ids"])
    assert torch.equal(may_attend, case_a["text.self_attention_mask"])
    assert torch.equal(position_ids, case_a["text.position_ids"])


def test_the_copied_data_are_the_complete_ones(
    case_a: dict[str, Tensor], complete_case_a: dict[str, Tensor]
) -> None:
    for name, value in case_a.items():
        original = complete_case_a[name.replace("fwd.proposals", "fwd.interm")]
        assert torch.equal(value.to(original.dtype), original), name
    for name in FLOAT32:
        # One set of values stands for both ways of the released code.
        assert torch.equal(complete_case_a[f"fwd.{name}"], complete_case_a[f"infer.{name}"])


@pytest.mark.slow
def test_float32_equals_the_released_implementation(
    run_a32: Any, case_a: dict[str, Tensor], deviations: Any
) -> None:
    case = "A float32"
    deviations.note(case, "swapped ranks of 3600", str(run_a32.num_swaps), "ties of 2e-05")
    check_choices(run_a32, case_a)
    check_output(deviations, case, run_a32.output, case_a, "infer", FLOAT32)
    check_selected_mask(deviations, case, run_a32.output, case_a, "infer")
    check_earlier_outputs(deviations, case, run_a32, case_a, "fwd.proposals")


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_masks_of_earlier_layers_and_proposals(
    precision: str, complete_case_a: dict[str, Tensor], deviations: Any, request: Any
) -> None:
    run = request.getfixturevalue(f"run_a{precision[-2:]}")
    outputs = {f"aux{index}": each for index, each in enumerate(run.output.aux_outputs)}
    outputs["interm"] = run.output.proposal_output
    for layer, output in outputs.items():
        case = f"A {precision}, {layer}".replace("aux", "layer ").replace("interm", "proposals")
        golden = complete_case_a
        subset = output.pred_masks[:, :, golden[f"fwd.{layer}.mask_query_subset"]]
        stored = golden[f"fwd.{layer}.pred_masks_subset_f16"]
        # Half precision keeps 11 bits.
        deviations.check(case, "pred_masks, stored in f16", (subset, stored), 5e-3, 2**-11)
        masks = output.pred_masks.flatten(3).double()
        figures = [masks.mean(-1), masks.std(-1), masks.amin(-1), masks.amax(-1)]
        stored_figures, share = golden[f"fwd.{layer}.pred_masks_stats"].split((4, 1), -1)
        deviations.check(case, "mask statistics", (torch.stack(figures, -1), stored_figures), 5e-3)
        pixels = (masks > 0).sum(-1) - share[..., 0] * masks.shape[-1]
        deviations.note(case, "pixels across 0", f"{float(pixels.abs().max()):.0f}", "2")
        assert float(pixels.abs().max()) <= 2.5


@pytest.mark.slow
@pytest.mark.parametrize("frames_per_chunk", [36, 2])
def test_inference_on_the_clip(
    frames_per_chunk: int,
    run_a32: Any,
    case_a: dict[str, Tensor],
    deviations: Any,
    golden_tokens: Tokens,
    impose_ranks: Any,
) -> None:
    model, ranks = run_a32.model, case_a["mid.topk_proposals"].long()
    model.frames_per_chunk = frames_per_chunk
    chunks = iter(ranks.split(frames_per_chunk))
    selector = model.grounder.proposal_selector
    hook = selector.register_forward_hook(lambda *call: impose_ranks(next(chunks), [])(*call))
    with torch.no_grad():
        output = model(case_a["input.pixel_values"], golden_tokens(case_a))
    hook.remove()
    model.frames_per_chunk = 36
    case = "A float32, inference" + (" in chunks" if frames_per_chunk == 2 else "")
    check_output(deviations, case, output, case_a, "infer", FLOAT32)
    check_selected_mask(deviations, case, output, case_a, "infer")


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "enhance"), [("infer", True), ("fwd", False)])
def test_one_frame_alone(
    rule: str,
    enhance: bool,
    run_a32: Any,
    case_a: dict[str, Tensor],
    deviations: Any,
    golden_tokens: Tokens,
    impose_ranks: Any,
) -> None:
    model = run_a32.model
    model.enhance_single_frames = enhance
    selector = model.grounder.proposal_selector
    hook = selector.register_forward_hook(impose_ranks(case_a["mid.topk_proposals"][:1].long(), []))
    with torch.no_grad():
        output = model(case_a["input.pixel_values"][:, :1], golden_tokens(case_a))
    hook.remove()
    model.enhance_single_frames = True
    case = f"A float32, one frame, {rule}"
    check_output(deviations, case, output, case_a, f"single_frame.{rule}", FLOAT32)
    check_selected_mask(deviations, case, output, case_a, f"single_frame.{rule}")
