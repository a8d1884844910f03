"""Linear layers through oneDNN where torch would call another library."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear

from rvos.layers.levers import Switchable
from rvos.ops.tracing import is_traced

# Fewer rows do not repay the operator's preparation.
_FEWEST_ROWS = 64


class OneDNNLinear(nn.Linear, Switchable):
    """A linear layer whose single-precision product on a CPU is oneDNN's.

    torch multiplies single-precision matrices with MKL, which leaves half of what a CPU of another
    make than Intel's can do unused; its own compiler emits the operator that is called here.
    """

    lever: ClassVar[str] = "onednn_linear"

    def forward(self, input: Float[Tensor, "*batch i"]) -> Float[Tensor, "*batch o"]:
        """Apply the layer.

        Args:
            input: ``[..., I]``.

        Returns:
            ``[..., O]``.
        """
        if not (self.enabled and _is_plain(input) and _is_plain(self.weight)):
            return linear(input, self.weight, self.bias)
        if input.numel() < _FEWEST_ROWS * self.in_features:
            return linear(input, self.weight, self.bias)
        if torch.is_grad_enabled():
            output: Tensor = _Product.apply(  # type: ignore[no-untyped-call]
                input, self.weight, self.bias
            )
            return output
        return _multiply(input, self.weight, self.bias)


def fast_product(
    input: Float[Tensor, "*batch i"], weight: Float[Tensor, "o i"], bias: Float[Tensor, " o"] | None
) -> Float[Tensor, "*batch o"]:
    """Apply a linear map without recording gradients, by oneDNN where that is the faster way.

    Args:
        input: ``[..., I]``.
        weight: ``[O, I]``.
        bias: ``[O]``.

    Returns:
        ``[..., O]``.

    >>> fast_product(torch.ones(2, 3), torch.ones(1, 3), None).tolist()
    [[3.0], [3.0]]
    """
    if _is_plain(input) and _is_plain(weight):
        return _multiply(input, weight, bias)
    return linear(input, weight, bias)


def _is_plain(input: Tensor) -> bool:
    """Whether the operator takes this input, outside of autocast, tracing and compilation."""
    return (
        input.device.type == "cpu"
        and input.dtype == torch.float32
        and _AVAILABLE
        and not torch.is_autocast_enabled("cpu")
        and not is_traced(input)
    )


def _multiply(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    output: Tensor = torch.ops.mkldnn._linear_pointwise(input, weight, bias, "none", [], "")
    return output


class _Product(torch.autograd.Function):
    """The same with gradients; without second ones."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Multiply, and keep what the gradients need."""
        # A frozen layer need not keep its input.
        needed = ctx.needs_input_grad
        ctx.save_for_backward(input if needed[1] else None, weight if needed[0] else None)
        return _multiply(input, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Multiply the gradient with what was kept."""
        input, weight = ctx.saved_tensors
        of_input = of_weight = of_bias = None
        rows = gradient.flatten(0, -2)
        if ctx.needs_input_grad[0]:
            of_input = _multiply(gradient.contiguous(), weight.t().contiguous(), None)
        if ctx.needs_input_grad[1]:
            of_weight = _multiply(
                rows.t().contiguous(), input.flatten(0, -2).t().contiguous(), None
            )
        if ctx.needs_input_grad[2]:
            of_bias = rows.sum(0)
        return of_input, of_weight, of_bias


def _is_available() -> bool:
    """Whether this build of torch has the operator."""
    if not torch.backends.mkldnn.is_available():
        return False
    try:
        _multiply(torch.zeros(1, 1), torch.zeros(1, 1), None)
    except (AttributeError, RuntimeError):
        return False
    return True


_AVAILABLE = _is_available()
