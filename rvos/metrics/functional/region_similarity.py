"""Region similarity J of DAVIS (Perazzi et al., CVPR 2016, section 5.1)."""

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from rvos.metrics.functional.intersection_union import intersection_and_union


def region_similarity(
    pred: Bool[Tensor, "*n h w"],
    target: Bool[Tensor, "*n h w"],
    void: Bool[Tensor, "*n h w"] | None = None,
) -> Float64[Tensor, "*n"]:
    """Intersection over union of every frame: J = |pred & target| / |pred | target|.

    The value lies in [0, 1], 1 is best. A frame whose union is empty scores 1: predicting nothing
    where nothing is to be found is right.

    Args:
        pred: Predicted masks ``[*N, H, W]``, True on the object.
        target: Ground-truth masks ``[*N, H, W]``, True on the object.
        void: ``[*N, H, W]``, True on pixels that count neither for nor against.

    Returns:
        J of each frame ``[*N]``, in double precision on the device of the masks.

    Raises:
        ValueError: If the masks are not boolean or differ in shape or device.

    Example:
        >>> target = torch.tensor([[True, True], [False, False]])
        >>> region_similarity(torch.tensor([[True, False], [True, False]]), target)
        tensor(0.3333, dtype=torch.float64)
        >>> nothing = torch.zeros(2, 3, 3, dtype=torch.bool)
        >>> region_similarity(nothing, nothing)
        tensor([1., 1.], dtype=torch.float64)
    """
    num_shared, num_covered = intersection_and_union(pred, target, void)
    return torch.where(num_covered > 0, num_shared.double() / num_covered.clamp(min=1), 1.0)
