from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor
from transformers import GroundingDinoConfig

from rvos.models.grounding_dino.fusion_attention import FoldedFusionAttention


def attention(dropout: float = 0.0) -> FoldedFusionAttention:
    torch.manual_seed(0)
    config = GroundingDinoConfig(
        d_model=16, encoder_ffn_dim=48, encoder_attention_heads=6, fusion_dropout=dropout
    )
    module = FoldedFusionAttention(config).double().eval()
    # Biases begin at zero, which would hide what is done with them.
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return module


def tokens(seed: int = 0) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    padding = torch.zeros(2, 30, dtype=torch.bool)
    padding[1, 21:] = True
    text_padding = torch.zeros(2, 5, dtype=torch.bool)
    text_padding[0, 3:] = True
    return {
        "vision_features": torch.randn(2, 30, 16, generator=draw, dtype=torch.float64),
        "text_features": torch.randn(2, 5, 16, generator=draw, dtype=torch.float64),
        "vision_attention_mask": padding,
        "text_attention_mask": text_padding,
    }


def both_ways(module: FoldedFusionAttention, inputs: dict[str, Any]) -> tuple[Any, Any]:
    module.enabled = True
    folded = module(**inputs)
    module.enabled = False
    return folded, module(**inputs)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_folding_changes_nothing(seed: int, masked: bool) -> None:
    inputs: dict[str, Any] = tokens(seed)
    if not masked:
        inputs["vision_attention_mask"] = inputs["text_attention_mask"] = None
    torch.testing.assert_close(*both_ways(attention(), inputs))


def test_padding_of_the_expression_is_not_read() -> None:
    module, inputs = attention(), tokens()
    before = module(**inputs)
    inputs["text_features"][0, 3:] += 7
    after = module(**inputs)
    torch.testing.assert_close(after[0][0], before[0][0])
    torch.testing.assert_close(after[1][0][0, :3], before[1][0][0, :3])


def test_gradients_of_adapters_and_features() -> None:
    module = attention()
    config = LoraConfig(
        r=2,
        lora_alpha=1,
        target_modules=[f"{side}_proj" for side in ("vision", "text", "values_vision")]
        + ["values_text_proj", "out_vision_proj", "out_text_proj"],
        init_lora_weights=False,
    )
    inject_adapter_in_model(config, module)
    module.double()
    gradients = []
    for enabled in (True, False):
        module.enabled = enabled
        module.zero_grad()
        inputs: dict[str, Any] = tokens()
        features = [inputs[name].requires_grad_() for name in ("vision_features", "text_features")]
        (image, _), (text, _) = module(**inputs)
        (image.sin().sum() + text.cos().sum()).backward()
        trained = [p.grad for p in module.parameters() if p.requires_grad]
        gradients.append([*trained, *(feature.grad for feature in features)])
    assert len(gradients[0]) == 14
    torch.testing.assert_close(*gradients)


def test_scores_far_from_zero_do_not_overflow() -> None:
    inputs = {name: x.float() if x.is_floating_point() else x for name, x in tokens().items()}
    inputs["vision_features"] *= 3000
    (image, _), (text, _) = attention().float()(**inputs)
    assert image.isfinite().all()
    assert text.isfinite().all()


def test_dropout_keeps_the_mean() -> None:
    torch.manual_seed(0)
    module, inputs = attention(dropout=0.3), tokens()
    expected = module(**inputs)[0][0]
    module.train()
    mean = torch.stack([module(**inputs)[0][0] for _ in range(600)]).mean(0)
    assert (mean - expected).abs().mean() < 0.1 * expected.abs().mean()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_near(dtype: torch.dtype) -> None:
    inputs = {name: x.float() if x.is_floating_point() else x for name, x in tokens().items()}
    module = attention().float()
    with torch.autocast("cpu", dtype):
        rounded = module(**inputs)
    exact = module(**inputs)
    for side in (0, 1):
        difference = (rounded[side][0].float() - exact[side][0]).abs().max()
        assert difference < 0.03 * exact[side][0].abs().max()
