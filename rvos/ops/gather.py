"""Reordering of object queries."""

from jaxtyping import Int, Shaped
from torch import Tensor


def gather_queries(
    values: Shaped[Tensor, "*batch q c"], indices: Int[Tensor, "*batch k"]
) -> Shaped[Tensor, "*batch k c"]:
    """Pick rows of ``values`` by position.

    Args:
        values: ``[..., Q, C]``.
        indices: ``[..., K]`` in [0, Q).

    Returns:
        ``[..., K, C]``.

    Example:
        >>> import torch
        >>> gather_queries(torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([2, 0])).squeeze(-1)
        tensor([3., 1.])
    """
    expanded = indices.unsqueeze(-1).expand(*indices.shape, values.shape[-1])
    return values.gather(-2, expanded)
