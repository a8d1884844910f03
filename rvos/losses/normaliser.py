"""Counts shared by all ranks of a distributed training."""

import torch
import torch.distributed as dist
from jaxtyping import Float, Int
from torch import Tensor


def mean_over_ranks(counts: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Average counts over the ranks.

    Dividing each rank's summed loss by this mean makes the rank average of the gradients, which
    DistributedDataParallel takes, that of the whole batch.

    Args:
        counts: ``[N]``.

    Returns:
        ``[N]``; the counts themselves without distributed training.

    >>> mean_over_ranks(torch.tensor([3, 4])).tolist()
    [3.0, 4.0]
    """
    mean = counts.to(torch.float32)
    if not (dist.is_available() and dist.is_initialized()):
        return mean
    dist.all_reduce(mean)
    return mean / dist.get_world_size()
