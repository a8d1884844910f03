"""Contour accuracy F of DAVIS (Perazzi et al., CVPR 2016, section 5.1)."""

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from rvos.metrics.functional.contour import Contour, match_contours, radius_in_pixels
from rvos.metrics.functional.mask_validation import validate_masks
from rvos.ops.packed_masks import pack_mask


def contour_accuracy(
    pred: Bool[Tensor, "*n h w"],
    target: Bool[Tensor, "*n h w"],
    void: Bool[Tensor, "*n h w"] | None = None,
    bound_th: float | int = 0.008,
) -> Float64[Tensor, "*n"]:
    """F-measure of boundary pixels that lie within a radius of the other mask's boundary.

    The value lies in [0, 1], 1 is best; two masks without boundary score 1, one without scores 0.
    A pixel is boundary when it differs from its right, lower or lower-right neighbour *inside* the
    frame: a mask has no boundary along the frame's edge, one that fills the frame has none at all.

    Args:
        pred: Predicted masks ``[*N, H, W]``, True on the object.
        target: Ground-truth masks ``[*N, H, W]``, True on the object.
        void: ``[*N, H, W]``, True on pixels that are taken out of both masks beforehand.
        bound_th: The radius: in pixels from 1 on, below 1 as a share of the frame's diagonal,
            rounded up.

    Returns:
        F of each frame ``[*N]``, in double precision on the device of the masks.

    Raises:
        ValueError: If the masks are not boolean or differ in shape or device, or if the radius is
            negative.

    Example:
        >>> target = torch.zeros(64, 64, dtype=torch.bool)
        >>> target[20:40, 20:40] = True
        >>> contour_accuracy(target.roll(1, dims=1), target)  # radius 1
        tensor(1., dtype=torch.float64)
        >>> contour_accuracy(target.roll(8, dims=1), target) < 0.7
        tensor(True)
        >>> contour_accuracy(torch.ones_like(target), torch.zeros_like(target))
        tensor(1., dtype=torch.float64)
    """
    validate_masks(pred, target, void)
    if void is not None:
        pred, target = pred & ~void, target & ~void
    height, width = pred.shape[-2:]
    radius = radius_in_pixels(height, width, bound_th)
    # Pixels are matched on the CPU, so the result is the same on every device.
    frames = [masks.reshape(-1, height, width).cpu().numpy() for masks in (pred, target)]
    scores = [
        match_contours(*(Contour.of_mask(pack_mask(mask), radius) for mask in pair))
        for pair in zip(*frames, strict=True)
    ]
    return torch.tensor(scores, dtype=torch.float64, device=pred.device).reshape(pred.shape[:-2])
