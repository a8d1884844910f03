"""Single precision where half precision would decide: scores, boxes, assignments.

Under ``torch.autocast`` the products of large matrices may be rounded to 8 or 11 bits; what is
ranked, thresholded or used as a place may not, because neighbouring values become equal.
"""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor


def at_least_float32(values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Raise half precision to single; float32 and float64 pass through.

    Args:
        values: Any shape.

    Example:
        >>> at_least_float32(torch.zeros(2, dtype=torch.bfloat16)).dtype
        torch.float32
    """
    return values.to(torch.promote_types(values.dtype, torch.float32))


def without_autocast(device: torch.device) -> AbstractContextManager[object]:
    """Switch autocast off for a block; nothing is done, or traced, where it is off already.

    Args:
        device: Where the block computes.

    Example:
        >>> with torch.autocast("cpu", torch.bfloat16), without_autocast(torch.device("cpu")):
        ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
        torch.float32
    """
    available = torch.amp.is_autocast_available(device.type)
    if not available or not torch.is_autocast_enabled(device.type):
        return contextlib.nullcontext()
    return torch.autocast(device.type, enabled=False)


def current_autocast(device: torch.device) -> Callable[[], AbstractContextManager[object]]:
    """Remember whether autocast is on, for work that is done later.

    Args:
        device: Where the work will be done.

    Returns:
        Makes contexts in which autocast is as it is now.

    Example:
        >>> with torch.autocast("cpu", torch.bfloat16):
        ...     as_here = current_autocast(torch.device("cpu"))
        >>> with as_here():
        ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
        torch.bfloat16
    """
    if not torch.amp.is_autocast_available(device.type):
        return contextlib.nullcontext
    if not torch.is_autocast_enabled(device.type):
        return partial(without_autocast, device)
    return partial(torch.autocast, device.type, torch.get_autocast_dtype(device.type))
