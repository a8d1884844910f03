"""Metric state of samples that are of different kinds."""

from collections.abc import Sequence
from typing import Unpack

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor
from torchmetrics.utilities.data import dim_zero_cat

from rvos.metrics.per_sample import MetricOptions, PerSampleMetric

_KIND_BYTES = 32


class KindedMetric(PerSampleMetric):
    """Base of metrics that tell the kinds of their samples apart.

    Args:
        num_values: Numbers per sample.
        kwargs: Options of ``torchmetrics.Metric``.
    """

    kind_names: list[Tensor] | Tensor

    def __init__(self, num_values: int, **kwargs: Unpack[MetricOptions]) -> None:
        super().__init__(num_values, **kwargs)
        self.add_state("kind_names", default=[], dist_reduce_fx="cat")

    def append_kinds(
        self, sample_ids: Sequence[str], values: Float64[Tensor, "n v"], kinds: Sequence[str]
    ) -> None:
        """Remember the rows of a batch and their kinds.

        Args:
            sample_ids: N unique names.
            values: ``[N, V]``, one row per sample.
            kinds: N kinds of at most 32 bytes, ``""`` where unknown.

        Raises:
            ValueError: If a kind is too long.
        """
        names = [_encode_kind(kind) for kind in kinds]
        self.append_samples(sample_ids, values)
        self._append("kind_names", torch.tensor(names, dtype=torch.uint8).reshape(-1, _KIND_BYTES))

    def values_of_kinds(self) -> dict[str, Float64[np.ndarray, "n v"]]:
        """Order all samples by the hash of their id, drop repetitions, and split them by kind.

        Returns:
            Per kind, in alphabetical order, the values ``[N, V]``; those of all samples under
            ``""``, with those of unknown kind.
        """
        rows, values = self.unique_samples()
        kinds = self._kinds()[rows]
        found = {str(kind): values[kinds == kind] for kind in np.unique(kinds) if kind}
        return {"": values, **found}

    def empty_states(self) -> dict[str, Tensor]:
        """Return every state as it looks without samples; a process without data gathers these."""
        kind_names = torch.zeros(0, _KIND_BYTES, dtype=torch.uint8)
        return {**super().empty_states(), "kind_names": kind_names}

    def _kinds(self) -> np.ndarray:
        """Decode the kind of every row."""
        if len(self.kind_names) == 0:
            return np.zeros(0, dtype=np.str_)
        rows = dim_zero_cat(self.kind_names).cpu().numpy()
        return np.array([bytes(row).rstrip(b"\0").decode() for row in rows], dtype=np.str_)


def _encode_kind(kind: str) -> list[int]:
    """Write a kind as bytes of fixed number, so that processes can exchange it."""
    encoded = kind.encode()
    if len(encoded) > _KIND_BYTES:
        message = f"Expected kinds of at most {_KIND_BYTES} bytes, but got {kind!r}"
        raise ValueError(message)
    return list(encoded.ljust(_KIND_BYTES, b"\0"))
