"""Metric state that stays exact over any number of processes."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict, Unpack

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import rank_zero_warn
from torchmetrics.utilities.data import dim_zero_cat
from torchmetrics.utilities.distributed import gather_all_tensors


def sample_key(sample_id: str) -> int:
    """Hash a sample id to 64 bits, the same in every process and run.

    Args:
        sample_id: Unique name of the sample.

    Returns:
        A signed 64-bit number.

    Example:
        >>> sample_key("video/0") == sample_key("video/0"), sample_key("video/0") < 2**63
        (True, True)
    """
    digest = hashlib.blake2b(sample_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class MetricOptions(TypedDict, total=False):
    """Options of ``torchmetrics.Metric`` that every metric here passes on."""

    compute_on_cpu: bool
    dist_sync_on_step: bool
    process_group: object
    sync_on_compute: bool
    compute_with_cache: bool


class PerSampleMetric(Metric):
    """Base of metrics that keep one row of numbers per sample instead of running sums.

    Rows are gathered from all processes, counted once per sample id and reduced in the order of the
    ids' hashes. So neither uneven shards nor the samples that a distributed sampler repeats to pad
    them nor the number of processes changes a bit of the result.

    Args:
        num_values: Numbers per sample.
        kwargs: Options of ``torchmetrics.Metric``.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    sample_keys: list[Tensor] | Tensor
    sample_values: list[Tensor] | Tensor

    def __init__(self, num_values: int, **kwargs: Unpack[MetricOptions]) -> None:
        super().__init__(**kwargs)
        self.num_values = num_values
        self.add_state("sample_keys", default=[], dist_reduce_fx="cat")
        self.add_state("sample_values", default=[], dist_reduce_fx="cat")

    def append_samples(self, sample_ids: Sequence[str], values: Float64[Tensor, "n v"]) -> None:
        """Remember the rows of a batch.

        Args:
            sample_ids: N unique names.
            values: ``[N, V]``, one row per sample.
        """
        keys = torch.tensor([sample_key(name) for name in sample_ids], dtype=torch.int64)
        self._append("sample_keys", keys)
        self._append("sample_values", values)

    def unique_samples(self) -> tuple[Int64[np.ndarray, " n"], Float64[np.ndarray, "n v"]]:
        """Order all samples by the hash of their id and drop repetitions.

        Returns:
            ``[N]``, where each sample stands in the states, and ``[N, V]``, its values. Of a sample
            that was repeated with other values the lowest row counts, whatever the order.
        """
        if len(self.sample_keys) == 0:
            return np.zeros(0, dtype=np.int64), np.zeros((0, self.num_values))
        keys = dim_zero_cat(self.sample_keys).cpu().numpy()
        values = dim_zero_cat(self.sample_values).cpu().numpy()
        order = np.lexsort((*values.T[::-1], keys))
        repeated = keys[order][1:] == keys[order][:-1]
        num_differing = np.count_nonzero(
            repeated & (values[order][1:] != values[order][:-1]).any(axis=1)
        )
        if num_differing:
            rank_zero_warn(
                f"{num_differing} samples were scored again under the same sample id with another "
                "result. Each counts once, with its lowest row; make sure that ids are unique.",
                UserWarning,
            )
        first = np.ones(len(order), dtype=np.bool_)
        first[1:] = ~repeated
        order = order[first]
        return order, values[order]

    @property
    def num_updates(self) -> int:
        """How many batches this process has added since the last reset."""
        return len(self.sample_keys)

    def rows_since(self, num_updates: int) -> dict[str, Tensor]:
        """Take out what later batches have added, so that it can be kept on disk.

        Args:
            num_updates: How many batches to leave out.

        Returns:
            One tensor per state.
        """
        return {
            name: dim_zero_cat(getattr(self, name)[num_updates:]) for name in self.empty_states()
        }

    def restore_rows(self, rows: Mapping[str, Tensor]) -> None:
        """Add what ``rows_since`` returned, in this run or another, as one more batch.

        Args:
            rows: One tensor per state.
        """
        # As the wrapper of `update` does: a result that was computed before is out of date.
        self._computed = None
        self._update_count += 1
        for name in self.empty_states():
            self._append(name, rows[name])

    def empty_states(self) -> dict[str, Tensor]:
        """Return every state as it looks without samples; a process without data gathers these."""
        return {
            "sample_keys": torch.zeros(0, dtype=torch.int64),
            "sample_values": torch.zeros(0, self.num_values, dtype=torch.float64),
        }

    def _append(self, state: str, rows: Tensor) -> None:
        """Append a batch to a list state, on the metric's device."""
        getattr(self, state).append(rows.detach().to(self.device))

    def _sync_dist(
        self,
        dist_sync_fn: Callable[..., list[Tensor]] = gather_all_tensors,
        process_group: object | None = None,
    ) -> None:
        """Gather the states; a process without samples takes part with states of the right type."""
        # torchmetrics would send an empty float32 vector, which does not fit the others' tensors.
        for state, empty in self.empty_states().items():
            if len(getattr(self, state)) == 0:
                setattr(self, state, [empty.to(self.device)])
        super()._sync_dist(dist_sync_fn, process_group)
