"""What every mask metric asks of its input."""

import torch
from torch import Tensor


def validate_masks(pred: Tensor, target: Tensor, void: Tensor | None = None) -> None:
    """Check that masks are boolean, of one shape and on one device.

    Args:
        pred: Predicted masks.
        target: Ground-truth masks.
        void: Pixels that do not count, or None.

    Raises:
        ValueError: If a mask is not boolean, lacks an axis, or differs in shape or device.

    Example:
        >>> validate_masks(torch.zeros(2, 2), torch.zeros(2, 2, dtype=torch.bool))
        Traceback (most recent call last):
        ...
        ValueError: Expected `pred` to be boolean, but got torch.float32; threshold it first
    """
    for name, mask in (("pred", pred), ("target", target), ("void", void)):
        if mask is None:
            continue
        if mask.dtype != torch.bool:
            message = f"Expected `{name}` to be boolean, but got {mask.dtype}; threshold it first"
            raise ValueError(message)
        if mask.ndim < 2 or mask.shape != pred.shape or mask.device != pred.device:
            message = (
                f"Expected `{name}` to have shape [..., H, W] and device of `pred`, but got "
                f"{tuple(mask.shape)} on {mask.device}, pred {tuple(pred.shape)} on {pred.device}"
            )
            raise ValueError(message)
