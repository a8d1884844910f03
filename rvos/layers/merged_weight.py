"""The weight that a linear layer applies, adapters included."""

from jaxtyping import Float
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from rvos.ops.precision import without_autocast


def merged_weight(layer: nn.Module) -> Float[Tensor, "out in"]:
    """Add what active LoRA adapters add; gradients reach the adapters.

    Args:
        layer: A linear layer, or peft's wrapper around one, without dropout.

    Returns:
        Weight ``[OUT, IN]``.

    >>> merged_weight(nn.Linear(3, 2)).shape
    torch.Size([2, 3])
    """
    weight: Tensor
    if not isinstance(layer, LoraLayer):
        weight = layer.weight  # type: ignore[assignment]
        return weight
    weight = layer.get_base_layer().weight
    if layer.merged or layer.disable_adapters:
        return weight
    with without_autocast(weight.device):
        for name in layer.active_adapters:
            weight = weight + layer.get_delta_weight(name)
    return weight
