"""A table of named numbers with one row per sample, from which ratios and means are computed."""

from collections.abc import Mapping, Sequence
from typing import Unpack

import numpy as np
import torch
from jaxtyping import Float64

from rvos.metrics.kinds import KindedMetric
from rvos.metrics.per_sample import MetricOptions

Columns = dict[str, Float64[np.ndarray, " n"]]


class SampleTable(KindedMetric):
    """Keeps the rows; what is computed of the columns is left to the caller.

    The rows come out in the same order for any number of processes, each sample once.

    Args:
        columns: Names of the numbers.
        kwargs: Options of ``torchmetrics.Metric``.

    Example:
        >>> table = SampleTable(("IoU", "union"))
        >>> rows = [{"IoU": 0.5, "union": 8.0}, {"IoU": 1.0, "union": 2.0}]
        >>> table.update(["a", "b"], rows, ["x", "y"])
        >>> tables = table.compute()
        >>> list(tables), float(tables[""]["union"].sum()), tables["y"]["IoU"].tolist()
        (['', 'x', 'y'], 10.0, [1.0])
    """

    def __init__(self, columns: Sequence[str], **kwargs: Unpack[MetricOptions]) -> None:
        super().__init__(len(columns), **kwargs)
        self.columns = tuple(columns)

    def update(
        self,
        sample_ids: Sequence[str],
        rows: Sequence[Mapping[str, float]],
        kinds: Sequence[str] | None = None,
    ) -> None:
        """Add rows.

        Args:
            sample_ids: N names, unique over the data set; a repeated name counts once.
            rows: N times a number for every column; further ones are not kept.
            kinds: N kinds of at most 32 bytes, ``""`` where unknown.

        Raises:
            ValueError: If the arguments differ in length.
            KeyError: If a row lacks a column.
        """
        kinds = [""] * len(sample_ids) if kinds is None else kinds
        if not len(sample_ids) == len(rows) == len(kinds):
            message = (
                f"Expected one entry per sample id ({len(sample_ids)}), but got (rows, kinds) = "
                f"{(len(rows), len(kinds))}"
            )
            raise ValueError(message)
        values = [[row[column] for column in self.columns] for row in rows]
        table = torch.tensor(values, dtype=torch.float64).reshape(-1, self.num_values)
        self.append_kinds(sample_ids, table, kinds)

    def compute(self) -> dict[str, Columns]:
        """Gather the rows of all processes.

        Returns:
            Per kind, and for all samples under ``""``, each column ``[N]`` by its name.
        """
        return {
            kind: dict(zip(self.columns, values.T, strict=True))
            for kind, values in self.values_of_kinds().items()
        }
