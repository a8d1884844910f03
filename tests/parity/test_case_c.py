"""The released implementation on two padded clips with different expressions.

Compared with its run in float64 with each expression's own text mask (``f64.textfix``). Tokens on
padding or at the border share one score and one content, so their mutual order is free.
"""

from typing import Any

import pytest
import torch
from torch import Tensor

pytestmark = [pytest.mark.parity, pytest.mark.slow]


def deviation(value: Tensor, reference: Tensor) -> float:
    return float((value.double() - reference.double()).abs().max())


def test_choices_are_the_released_ones(run_c64: Any, case_c: dict[str, Tensor]) -> None:
    proposals = run_c64.grounding.proposals
    expected = case_c["f64.textfix.mid.topk_proposals"].long()
    usable = proposals.token_usable.gather(1, expected)
    assert torch.equal(proposals.token_usable.gather(1, proposals.indices), usable)
    assert torch.equal(proposals.indices[usable], expected[usable])
    for index, layer in enumerate(run_c64.grounding.layers):
        assert torch.equal(layer.kept.T, case_c[f"f64.textfix.mid.kept{index}"].long())


def test_outputs_equal_the_released_ones(run_c64: Any, case_c: dict[str, Tensor]) -> None:
    output = run_c64.output
    assert deviation(output.pred_logits, case_c["f64.textfix.pred_logits"]) <= 1e-5
    assert deviation(output.pred_boxes, case_c["f64.textfix.pred_boxes"]) <= 1e-5
    assert deviation(output.pred_masks, case_c["f64.textfix.pred_masks"]) <= 1e-4
    for index, auxiliary in enumerate(output.aux_outputs):
        prefix = f"f64.textfix.aux{index}"
        assert deviation(auxiliary.pred_logits, case_c[f"{prefix}.pred_logits"]) <= 1e-5
        assert deviation(auxiliary.pred_boxes, case_c[f"{prefix}.pred_boxes"]) <= 1e-5
