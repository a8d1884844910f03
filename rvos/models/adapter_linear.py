"""Linear layers with low-rank adapters, trained as one product."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from peft.tuners.lora import Linear
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from rvos.layers.levers import Switchable
from rvos.layers.onednn_linear import fast_product


class FusedAdapter(Linear, Switchable):
    """peft's adapter, which adds ``B (A x)`` to ``W x``, as ``(W + B A) x``.

    One product and one output instead of three products, a scaled copy and a sum. The backward pass
    keeps to the low rank: it never forms the gradient of ``W + B A``.

    Args:
        base_layer: As peft's.
    """

    lever: ClassVar[str] = "fused_adapters"

    def forward(self, x: Float[Tensor, "*batch i"], *args: Any, **kwargs: Any) -> Tensor:
        """Apply layer and adapter.

        Args:
            x: ``[..., I]``.
            args: Handed on to peft's way.
            kwargs: Handed on to peft's way.

        Returns:
            ``[..., O]``.
        """
        if args or kwargs or not self._is_simple(x):
            plain: Tensor = super().forward(x, *args, **kwargs)
            return plain
        name = self.active_adapters[0]
        base: Any = self.get_base_layer()
        down, up = self.lora_A[name].weight, self.lora_B[name].weight
        output: Tensor = _AdaptedProduct.apply(  # type: ignore[no-untyped-call]
            x, base.weight, base.bias, down, up, self.scaling[name]
        )
        return output

    def _is_simple(self, x: Tensor) -> bool:
        """Whether one vanilla adapter is active on a frozen layer, in full precision."""
        if not self.enabled or self.merged or self.disable_adapters:
            return False
        # Half precision would round small adapters away where they are added to the weight.
        if x.dtype not in (torch.float32, torch.float64) or _is_autocast(x.device):
            return False
        if len(self.active_adapters) != 1 or self.active_adapters[0] not in self.lora_A:
            return False
        name, base = self.active_adapters[0], self.get_base_layer()
        return (
            name not in self.lora_variant
            and isinstance(self.lora_dropout[name], nn.Identity)
            and self.lora_B[name].bias is None
            and not any(parameter.requires_grad for parameter in base.parameters())
        )


def _is_autocast(device: torch.device) -> bool:
    available = torch.amp.is_autocast_available(device.type)
    return available and torch.is_autocast_enabled(device.type)


class _AdaptedProduct(torch.autograd.Function):
    """``x (W + s B A)^T + b`` with gradients of x, A and B; without second ones."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        down: Tensor,
        up: Tensor,
        scaling: float,
    ) -> Tensor:
        """Multiply with the sum of weight and adapter."""
        ctx.save_for_backward(x, weight, down, up)
        ctx.scaling = scaling
        return fast_product(x, torch.addmm(weight, up, down, alpha=scaling), bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Multiply the gradient with the same sum, and with the low-rank factors one by one."""
        x, weight, down, up = ctx.saved_tensors
        of_x = of_down = of_up = None
        rows, inputs = gradient.flatten(0, -2), x.flatten(0, -2)
        if ctx.needs_input_grad[0]:
            merged = torch.addmm(weight, up, down, alpha=ctx.scaling)
            of_x = fast_product(gradient.contiguous(), merged.t().contiguous(), None)
        if ctx.needs_input_grad[3]:
            narrow = fast_product(rows.contiguous(), up.t().contiguous(), None)
            of_down = narrow.t() @ inputs * ctx.scaling
        if ctx.needs_input_grad[4]:
            of_up = rows.t() @ fast_product(inputs.contiguous(), down, None) * ctx.scaling
        return of_x, None, None, of_down, of_up, None
