"""Counts shared by all ranks of a distributed training."""

import torch
import torch.distributed as dist
from jaxtyping import Float, Num
from torch import Tensor


def mean_over_ranks(totals: Num[Tensor, " n"], minimum: float = 1.0) -> Float[Tensor, " n"]:
    """Average what losses are divided by over the ranks.

    Dividing each rank's summed loss by this mean makes the rank average of the gradients, which
    DistributedDataParallel takes, that of the whole batch. The bound is put on the sum, not on the
    mean as in the released code: two ranks with one target between them are one batch with one.

    Args:
        totals: ``[N]``, of this rank; a collective call, so every rank has to make it.
        minimum: Lower bound of the sum over all ranks.

    Returns:
        ``[N]``; what is given, if it is not too small, without distributed training.

    >>> mean_over_ranks(torch.tensor([3, 0])).tolist()
    [3.0, 1.0]
    """
    summed, num_ranks = totals.detach().clone(), 1
    if dist.is_available() and dist.is_initialized():
        # Counts are added as the integers they are: exact, whatever their size.
        dist.all_reduce(summed)
        num_ranks = dist.get_world_size()
    precision = torch.promote_types(torch.get_default_dtype(), torch.float32)
    if not summed.is_floating_point():
        summed = summed.to(precision)
    return summed.clamp(min=minimum) / num_ranks
