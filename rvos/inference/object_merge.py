"""The objects of one video in one label map, as Ref-DAVIS17 wants them."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

# What an object's probability has to exceed; below the threshold it counts as none at all.
_BACKGROUND = 0.1
_THRESHOLD = 0.5


def merge_objects(probabilities: Float[Tensor, "n t h w"]) -> UInt8[Tensor, "t h w"]:
    """Give every pixel to the most probable object.

    The label of an object is its rank among the expressions plus one, not its id in the benchmark.

    Args:
        probabilities: ``[N, T, H, W]`` in [0, 1], at most 255 objects.

    Returns:
        ``[T, H, W]``: 0 where no object reaches 0.5, else the first of the most probable.

    >>> probabilities = torch.tensor([0.4, 0.7, 0.6]), torch.tensor([0.3, 0.7, 0.9])
    >>> merge_objects(torch.stack(probabilities)[:, None, None]).tolist()
    [[[0, 1, 2]]]
    """
    planes = torch.where(probabilities < _THRESHOLD, 0.0, probabilities)
    background = planes.new_full((1, *planes.shape[1:]), _BACKGROUND)
    return torch.cat([background, planes]).argmax(dim=0).to(torch.uint8)
