"""Recomputed layers give the same values and gradients."""

import pytest
import torch
from torch import Tensor, nn

from rvos.layers.checkpointing import maybe_checkpoint


class Counter(nn.Module):
    """A layer that counts how often it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.calls = 0

    def forward(self, *, x: Tensor, factor: float) -> Tensor:
        self.calls += 1
        result: Tensor = self.layer(x).tanh() * factor
        return result


@pytest.mark.parametrize(("enabled", "calls"), [(True, 2), (False, 1)])
def test_layer_runs_again_in_the_backward_pass(enabled: bool, calls: int) -> None:
    layer = Counter()
    maybe_checkpoint(enabled, layer, x=torch.randn(3, 4), factor=2.0).sum().backward()
    assert layer.calls == calls


def test_gradients_are_the_same() -> None:
    layer, x = Counter(), torch.randn(3, 4)
    gradients = []
    for enabled in (False, True):
        layer.zero_grad()
        maybe_checkpoint(enabled, layer, x=x, factor=2.0).square().sum().backward()
        gradients.append([value.grad.clone() for value in layer.parameters()])  # type: ignore[union-attr]
    for first, second in zip(*gradients, strict=True):
        torch.testing.assert_close(first, second)


def test_without_gradients_it_runs_once() -> None:
    layer = Counter()
    with torch.no_grad():
        maybe_checkpoint(True, layer, x=torch.randn(3, 4), factor=1.0)
    assert layer.calls == 1
