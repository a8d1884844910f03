"""Modules that are built without memory for their weights, and then take them from a file."""

from collections.abc import Mapping
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class WithoutWeights(TorchFunctionMode):
    """Context in which new modules get parameters without memory.

    What a constructor computes, such as an index table, is computed all the same: only memory that
    waits for an initial value (``torch.empty``) is left out, which is what torch's layers ask for.

    Example:
        >>> with WithoutWeights():
        ...     layer = nn.Linear(2, 1)
        >>> layer.weight.is_meta
        True
        >>> assign_weights(layer, {"weight": torch.ones(1, 2), "bias": torch.ones(1)})
        >>> layer(torch.ones(1, 2)).item()
        3.0
    """

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Send ``torch.empty`` to the meta device."""
        del types
        kwargs = kwargs or {}
        if func is torch.empty and kwargs.get("device") is None:
            kwargs = {**kwargs, "device": "meta"}
        return func(*args, **kwargs)


def assign_weights(module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Make tensors the parameters and buffers of a module, without a copy where none is needed.

    Args:
        module: Built with or without weights; changed in place.
        weights: Tensors under the module's names, in its shapes. Names that are left out keep
            their value.

    Raises:
        ValueError: A parameter of a module that was built without weights has no value.
    """
    own = module.state_dict()
    tensors = {name: _own_memory(value, own[name].dtype) for name, value in weights.items()}
    module.load_state_dict(tensors, strict=False, assign=True)
    everything = chain(module.named_parameters(), module.named_buffers())
    empty = [name for name, tensor in everything if tensor.is_meta]
    if empty:
        message = f"no value for {', '.join(empty[:5])}"
        raise ValueError(message)


def _own_memory(value: Tensor, dtype: torch.dtype) -> Tensor:
    """Detach from a graph, from a larger tensor, and from a file that may change."""
    tensor = value.detach().to(dtype).contiguous()
    is_part = tensor.untyped_storage().nbytes() != tensor.nbytes
    return tensor.clone() if is_part else tensor
