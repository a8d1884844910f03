import copy

import pytest
import torch
from torch import Tensor, nn

from rvos.layers import onednn_linear
from rvos.layers.onednn_linear import OneDNNLinear


@pytest.fixture
def layer() -> OneDNNLinear:
    torch.manual_seed(0)
    return OneDNNLinear(24, 40)


def plain(layer: OneDNNLinear) -> nn.Linear:
    other = nn.Linear(layer.in_features, layer.out_features, layer.bias is not None)
    other.load_state_dict(layer.state_dict())
    return other


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """Inputs that went to oneDNN."""
    if not onednn_linear._AVAILABLE:
        pytest.skip("this build of torch has no oneDNN")
    seen: list[Tensor] = []
    multiply = onednn_linear._multiply

    def spy(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        seen.append(input)
        return multiply(input, weight, bias)

    monkeypatch.setattr(onednn_linear, "_multiply", spy)
    return seen


@pytest.mark.parametrize("shape", [(64, 24), (2, 70, 24), (3, 4, 50, 24), (1, 24), (0, 24)])
@pytest.mark.parametrize("has_bias", [True, False])
def test_equals_a_linear_layer(shape: tuple[int, ...], has_bias: bool) -> None:
    layer = OneDNNLinear(24, 40, has_bias)
    given = torch.randn(shape)
    with torch.no_grad():
        torch.testing.assert_close(layer(given), plain(layer)(given))


def test_an_input_that_is_not_contiguous(layer: OneDNNLinear, calls: list[Tensor]) -> None:
    given = torch.randn(24, 100).t()
    with torch.no_grad():
        torch.testing.assert_close(layer(given), plain(layer)(given))
    assert len(calls) == 1


@pytest.mark.parametrize("frozen", [(), ("weight",), ("bias",), ("weight", "bias")])
def test_gradients(layer: OneDNNLinear, calls: list[Tensor], frozen: tuple[str, ...]) -> None:
    other = plain(layer)
    for name in frozen:
        layer.get_parameter(name).requires_grad_(False)
    mine = torch.randn(2, 50, 24).requires_grad_()
    theirs = mine.detach().clone().requires_grad_()
    layer(mine).sin().sum().backward()
    other(theirs).sin().sum().backward()
    assert calls
    torch.testing.assert_close(mine.grad, theirs.grad)
    for name, parameter in layer.named_parameters():
        if name in frozen:
            assert parameter.grad is None
        else:
            torch.testing.assert_close(parameter.grad, other.get_parameter(name).grad)


def test_a_frozen_layer_does_not_keep_its_input(layer: OneDNNLinear) -> None:
    layer.requires_grad_(False)
    given = torch.randn(100, 24).requires_grad_()
    kept: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: (kept.append(x), x)[1], lambda x: x):
        layer(given * 1.0)
    assert not [x for x in kept if x.shape == given.shape]


@pytest.mark.parametrize("way", ["few rows", "double", "off", "autocast", "half"])
def test_what_goes_the_plain_way(layer: OneDNNLinear, calls: list[Tensor], way: str) -> None:
    given = torch.randn(3 if way == "few rows" else 100, 24)
    if way == "double":
        layer, given = layer.double(), given.double()
    if way == "half":
        layer, given = layer.bfloat16(), given.bfloat16()
    layer.enabled = way != "off"
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=way == "autocast"):
        found, expected = layer(given), nn.functional.linear(given, layer.weight, layer.bias)
    torch.testing.assert_close(found, expected)
    assert not calls


def test_copies_and_state_are_those_of_a_linear_layer(layer: OneDNNLinear) -> None:
    assert list(layer.state_dict()) == ["weight", "bias"]
    twin = copy.deepcopy(layer)
    given = torch.randn(80, 24)
    assert torch.equal(twin(given), layer(given))
