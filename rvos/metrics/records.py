"""Metric state of samples of which more is kept than a fixed number of numbers."""

import zlib
from collections.abc import Sequence
from typing import Unpack

import numpy as np
import torch
from torch import Tensor
from torchmetrics.utilities.data import dim_zero_cat

from rvos.metrics.per_sample import MetricOptions, PerSampleMetric


class RecordMetric(PerSampleMetric):
    """Base of metrics that keep a record of bytes per sample.

    Args:
        kwargs: Options of ``torchmetrics.Metric``.
    """

    payload: list[Tensor] | Tensor

    def __init__(self, **kwargs: Unpack[MetricOptions]) -> None:
        # The values of a sample are the length and the checksum of its record in the payload.
        super().__init__(num_values=2, **kwargs)
        self.add_state("payload", default=[], dist_reduce_fx="cat")

    def append_records(self, sample_ids: Sequence[str], records: Sequence[bytes]) -> None:
        """Remember the records of a batch.

        Args:
            sample_ids: N unique names.
            records: N records.
        """
        values = [[len(record), zlib.crc32(record)] for record in records]
        self.append_samples(sample_ids, torch.tensor(values, dtype=torch.float64).reshape(-1, 2))
        payload = np.frombuffer(b"".join(records), dtype=np.uint8)
        self._append("payload", torch.from_numpy(payload.copy()))

    def unique_records(self) -> list[bytes]:
        """Order all records by the hash of their sample's id and drop repetitions.

        Returns:
            The records.
        """
        rows, _ = self.unique_samples()
        if len(rows) == 0:
            return []
        payload = dim_zero_cat(self.payload).cpu().numpy()
        ends = dim_zero_cat(self.sample_values)[:, 0].long().cumsum(0).cpu().numpy()
        starts = np.concatenate([[0], ends[:-1]])
        return [payload[starts[row] : ends[row]].tobytes() for row in rows]

    def empty_states(self) -> dict[str, Tensor]:
        """Return every state as it looks without samples; a process without data gathers these."""
        return {**super().empty_states(), "payload": torch.zeros(0, dtype=torch.uint8)}
