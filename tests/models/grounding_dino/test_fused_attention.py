"""Attention without written weights equals transformers' own."""

import pytest
import torch
from transformers import GroundingDinoConfig

from rvos.models.grounding_dino.fused_attention import FusedAttention


@pytest.fixture
def attention() -> FusedAttention:
    config = GroundingDinoConfig(
        d_model=16, encoder_attention_heads=2, decoder_attention_heads=2, dropout=0.0
    )
    attention = FusedAttention(config, 2)
    attention.double().eval()
    return attention


@pytest.mark.parametrize("masked", [False, True])
def test_output_and_gradients(attention: FusedAttention, masked: bool) -> None:
    queries = torch.randn(3, 5, 16, dtype=torch.float64)
    keys = torch.randn(3, 7, 16, dtype=torch.float64)
    mask = torch.zeros(3, 1, 1, 7, dtype=torch.float64)
    mask[1, :, :, 4:] = torch.finfo(torch.float64).min
    found = []
    for enabled in (True, False):
        attention.enabled = enabled
        inputs = [queries.clone().requires_grad_(), keys.clone().requires_grad_()]
        attention.zero_grad()
        (output,) = attention(inputs[0], inputs[1], inputs[1] * 2, mask if masked else None)
        output.square().sum().backward()
        found.append([output, *(each.grad for each in (*inputs, *attention.parameters()))])
    torch.testing.assert_close(found[0], found[1], rtol=1e-10, atol=1e-10)


def test_weights_are_written_for_those_who_read_them(attention: FusedAttention) -> None:
    queries = torch.randn(1, 4, 16, dtype=torch.float64)
    output, weights = attention(queries, queries, queries, output_attentions=True)
    torch.testing.assert_close(weights.sum(-1), torch.ones(1, 2, 4, dtype=torch.float64))
    torch.testing.assert_close(attention(queries, queries, queries)[0], output)


@pytest.mark.parametrize("masked", [False, True])
def test_what_is_not_a_number_stays_so(attention: FusedAttention, masked: bool) -> None:
    queries = torch.full((1, 4, 16), torch.nan, dtype=torch.float32)
    keys = torch.randn(1, 7, 16)
    mask = torch.zeros(1, 1, 1, 7) if masked else None
    assert attention.float()(queries, keys, keys, mask)[0].isnan().all()
