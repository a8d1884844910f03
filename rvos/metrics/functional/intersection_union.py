"""Pixel counts that every overlap measure starts from."""

from jaxtyping import Bool, Int64
from torch import Tensor

from rvos.metrics.functional.mask_validation import validate_masks


def intersection_and_union(
    pred: Bool[Tensor, "*n h w"],
    target: Bool[Tensor, "*n h w"],
    void: Bool[Tensor, "*n h w"] | None = None,
) -> tuple[Int64[Tensor, "*n"], Int64[Tensor, "*n"]]:
    """Count the pixels that two masks share and those that either covers.

    Args:
        pred: Predicted masks ``[*N, H, W]``, True on the object.
        target: Ground-truth masks ``[*N, H, W]``, True on the object.
        void: ``[*N, H, W]``, True on pixels that are left out.

    Returns:
        Intersection ``[*N]`` and union ``[*N]`` in pixels.

    Raises:
        ValueError: If the masks are not boolean or differ in shape or device.

    Example:
        >>> import torch
        >>> target = torch.tensor([[True, True], [False, False]])
        >>> intersection_and_union(torch.tensor([[True, False], [True, False]]), target)
        (tensor(1), tensor(3))
    """
    validate_masks(pred, target, void)
    intersection, union = pred & target, pred | target
    if void is not None:
        intersection, union = intersection & ~void, union & ~void
    return intersection.count_nonzero(dim=(-2, -1)), union.count_nonzero(dim=(-2, -1))
