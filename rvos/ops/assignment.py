"""Minimum-cost assignment of many cost matrices with one transfer to the host."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from rvos.structures.errors import RvosError


class NonFiniteCostError(RvosError):
    """A cost matrix holds NaN or infinity, so nothing can be assigned.

    Attributes:
        matrix: Position of the cost tensor in the list that was given.
        item: Position in its batch.
    """

    def __init__(self, matrix: int, item: int) -> None:
        self.matrix = matrix
        self.item = item
        super().__init__(
            f"Costs of batch item {item} (cost tensor {matrix}) contain NaN or infinity: the "
            "predictions diverged. Lower the learning rate, check the input, or go on from the "
            "last good checkpoint."
        )


@dataclass
class Assignment:
    """Pairs of rows and columns of a batch of cost matrices; M counts pairs over the batch.

    Attributes:
        batch: ``[M]`` batch item of each pair, ascending.
        rows: ``[M]`` row (object query) of each pair.
        columns: ``[M]`` column (target) of each pair, ascending within one batch item.
    """

    batch: Int[Tensor, " m"]
    rows: Int[Tensor, " m"]
    columns: Int[Tensor, " m"]


def assign(
    costs: Sequence[Float[Tensor, "_b _r _c"]],
    eligible_columns: Sequence[Bool[Tensor, "_b _c"]] | None = None,
) -> list[Assignment]:
    """Solve the assignment problem of every matrix of a list of batches.

    All matrices travel to the host together and all pairs come back together: one synchronisation
    with the accelerator, however many layers and clips there are. A single column takes its
    smallest entry (the first one among equals).

    Args:
        costs: Cost tensors, each ``[B, R, C]``; sizes may differ between them.
        eligible_columns: ``[B, C]`` for each cost tensor, True on the columns to be assigned;
            None assigns all.

    Returns:
        One assignment per cost tensor, on its device, with min(R, eligible columns) pairs per item.

    Raises:
        NonFiniteCostError: If an eligible column holds NaN or infinity.

    >>> pairs = assign([torch.tensor([[[0.0, 3.0], [1.0, 9.0], [2.0, 5.0]]])])[0]
    >>> pairs.rows.tolist(), pairs.columns.tolist()
    ([1, 0], [0, 1])
    """
    if not costs:
        return []
    if eligible_columns is None:
        eligible_columns = [
            torch.ones(cost.shape[::2], dtype=torch.bool, device=cost.device) for cost in costs
        ]
    costs_on_host, eligible_on_host = _to_host(costs, eligible_columns)
    solved = [
        _assign_batch(matrix, cost, eligible)
        for matrix, (cost, eligible) in enumerate(zip(costs_on_host, eligible_on_host, strict=True))
    ]
    pairs = torch.from_numpy(np.concatenate(solved, axis=1)).to(costs[0].device, non_blocking=True)
    return [Assignment(*part) for part in pairs.split([part.shape[1] for part in solved], dim=1)]


def _to_host(
    costs: Sequence[Float[Tensor, "_b _r _c"]], eligible_columns: Sequence[Bool[Tensor, "_b _c"]]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Copy all tensors to the host as one vector and cut it again."""
    tensors = [*costs, *eligible_columns]
    dtype = torch.float64 if any(t.dtype == torch.float64 for t in costs) else torch.float32
    vector = torch.cat([tensor.detach().flatten().to(dtype) for tensor in tensors]).cpu().numpy()
    ends = np.cumsum([tensor.numel() for tensor in tensors])[:-1]
    parts = [
        part.reshape(tensor.shape)
        for part, tensor in zip(np.split(vector, ends), tensors, strict=True)
    ]
    return parts[: len(costs)], [part.astype(bool) for part in parts[len(costs) :]]


def _assign_batch(matrix: int, costs: np.ndarray, eligible: np.ndarray) -> np.ndarray:
    """Solve one batch; the result's three rows are batch item, row and column of each pair."""
    pairs = [np.zeros((3, 0), dtype=np.int64)]
    for item, (cost, columns) in enumerate(zip(costs, eligible, strict=True)):
        column_index = np.flatnonzero(columns)
        if not column_index.size or not cost.shape[0]:
            continue
        cost_of_eligible = cost[:, column_index]
        if not np.isfinite(cost_of_eligible).all():
            raise NonFiniteCostError(matrix, item)
        if column_index.size == 1:
            rows, chosen = np.array([cost_of_eligible[:, 0].argmin()]), np.array([0])
        else:
            rows, chosen = linear_sum_assignment(cost_of_eligible)
        order = chosen.argsort()
        rows, chosen = rows[order], chosen[order]
        pairs.append(np.stack([np.full_like(rows, item), rows, column_index[chosen]]))
    return np.concatenate(pairs, axis=1)
