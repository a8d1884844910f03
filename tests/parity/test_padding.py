"""What padding does: nothing to expressions; frames are another matter (docs/deviations.md)."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from rvos.structures import TextTokens

pytestmark = [pytest.mark.parity, pytest.mark.slow]
Tokens = Callable[[dict[str, Tensor]], TextTokens]

SHORT = (101, 1037, 2158, 1012, 102)


@torch.no_grad()
def test_an_expression_in_a_batch_equals_itself_alone(
    run_a64: Any, case_a: dict[str, Tensor], golden_tokens: Tokens, deviations: Any
) -> None:
    model, long = run_a64.model, golden_tokens(case_a)
    short = TextTokens(torch.tensor([SHORT]), torch.ones(1, len(SHORT), dtype=torch.int64))
    missing = (0, long.input_ids.shape[1] - len(SHORT))
    assert missing[1] > 0
    batch = TextTokens(
        torch.cat([long.input_ids, F.pad(short.input_ids, missing)]),
        torch.cat([long.attention_mask, F.pad(short.attention_mask, missing)]),
    )
    frames = case_a["input.pixel_values"][:, :2].double()
    together = model(frames.expand(2, -1, -1, -1, -1), batch)
    for clip, alone in enumerate([long, short]):
        expected = model(frames, alone)
        for name in ("pred_logits", "pred_boxes", "pred_masks"):
            values = getattr(together, name)[clip, None], getattr(expected, name)
            deviations.check("expression in a batch", name, values, 1e-5)


@torch.no_grad()
def test_padding_of_frames_changes_the_features(
    run_a64: Any, case_a: dict[str, Tensor], deviations: Any
) -> None:
    """Swin's windows and the projections' GroupNorm see padding, as released."""
    encoder = run_a64.model.grounder.image_encoder
    frames = case_a["input.pixel_values"][0, :1].double()
    height, width = frames.shape[-2:]
    valid = torch.ones(1, height, width, dtype=torch.bool)
    padding = (0, -width % 32, 0, -height % 32)
    stages = []
    hook = encoder.backbone.register_forward_hook(lambda *call: stages.append(call[2].feature_maps))
    encoder(frames, valid)
    encoder(F.pad(frames, padding), F.pad(valid, padding))
    hook.remove()
    for index, (alone, padded) in enumerate(zip(*stages, strict=True)):
        difference = (padded[..., : alone.shape[-2], : alone.shape[-1]] - alone).abs()
        change = float(difference.mean() / alone.abs().mean())
        deviations.note("A padded to 192x320", f"Swin stage {index}", f"{change:.1%}", "any")
        assert change > 0.01
