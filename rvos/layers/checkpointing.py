"""Optional activation checkpointing of layers."""

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint


def maybe_checkpoint(enabled: bool, layer: Callable[..., Any], **inputs: Any) -> Any:
    """Call ``layer(**inputs)``, recomputing it in the backward pass if ``enabled``.

    Args:
        enabled: True trades computation for memory; without gradients it changes nothing.
        layer: What to call.
        inputs: Its keyword arguments.

    Example:
        >>> maybe_checkpoint(False, lambda x: x + 1, x=1)
        2
    """
    if enabled and torch.is_grad_enabled():
        return checkpoint(layer, use_reentrant=False, **inputs)
    return layer(**inputs)
