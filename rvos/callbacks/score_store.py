"""Scores of single samples on disk, so that an interrupted test goes on where it was."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch import Tensor
from torchmetrics import Metric

from rvos.callbacks.prediction_files import PredictionWriteError
from rvos.datasets.files import write_bytes
from rvos.metrics.per_sample import PerSampleMetric

MetricRows = Mapping[str, Mapping[str, Tensor]]


class ScoreStore:
    """``<folder>/.scores/<sample id>.npz``: what each metric keeps of a sample, exactly.

    Args:
        folder: Folder of the predictions.

    >>> ScoreStore(Path("pred")).holds("aa/0")
    False
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / ".scores"

    def holds(self, sample_id: str) -> bool:
        """Whether a sample was scored.

        Args:
            sample_id: Id of the sample.

        Returns:
            True if so.
        """
        return self._path(sample_id).is_file()

    def keep(self, sample_id: str, rows: MetricRows) -> None:
        """Write the scores of a sample, whole or not at all.

        Args:
            sample_id: Id of the sample.
            rows: Name of the metric to its states.
        """
        arrays = {
            f"{metric}/{state}": values.cpu().numpy()
            for metric, states in rows.items()
            for state, values in states.items()
        }
        content = io.BytesIO()
        np.savez(content, **arrays)  # type: ignore[arg-type]
        write_bytes(self._path(sample_id), content.getvalue())

    def read(self, sample_id: str) -> dict[str, dict[str, Tensor]]:
        """Read the scores of a sample.

        Args:
            sample_id: Id of the sample.

        Returns:
            Name of the metric to its states.

        Raises:
            PredictionWriteError: The file is damaged.
        """
        path = self._path(sample_id)
        rows: dict[str, dict[str, Tensor]] = {}
        try:
            with np.load(path, allow_pickle=False) as arrays:
                for name in arrays.files:
                    metric, _, state = name.rpartition("/")
                    rows.setdefault(metric, {})[state] = torch.from_numpy(arrays[name])
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            message = f"{path} is damaged ({error}); delete it, and its sample is scored again"
            raise PredictionWriteError(message) from error
        return rows

    def _path(self, sample_id: str) -> Path:
        return self.folder / f"{sample_id}.npz"


class MetricRecorder:
    """Tells what each test batch adds to the metrics of a task, whichever it has.

    Args:
        task: The task.
    """

    def __init__(self, task: LightningModule) -> None:
        self._metrics = {
            name: metric
            for name, metric in task.named_modules()
            if isinstance(metric, PerSampleMetric)
        }
        self._others = [
            module
            for module in task.modules()
            if isinstance(module, Metric) and not isinstance(module, PerSampleMetric)
        ]
        self._num_updates: dict[str, int] = {}
        self._num_other_updates = 0

    def begin(self) -> None:
        """Remember what there is before a batch."""
        self._num_updates = {name: each.num_updates for name, each in self._metrics.items()}
        self._num_other_updates = sum(metric.update_count for metric in self._others)

    def added(self) -> dict[str, dict[str, Tensor]] | None:
        """Take out what has come since.

        Returns:
            Name of the metric to its states, for the metrics that were updated; None if another
            metric was, from which single samples cannot be taken.
        """
        if sum(metric.update_count for metric in self._others) != self._num_other_updates:
            return None
        return dict(self._added())

    def restore(self, sample_id: str, rows: MetricRows) -> None:
        """Add the scores of an earlier run.

        Args:
            sample_id: Id of the sample.
            rows: Name of the metric to its states.

        Raises:
            PredictionWriteError: They are those of other metrics.
        """
        for name, states in rows.items():
            metric = self._metrics.get(name)
            if metric is None or set(states) != set(metric.empty_states()):
                message = (
                    f"the stored score of {sample_id} is of another metric ({name}); delete the "
                    "folder .scores beside the predictions, and all samples are scored again"
                )
                raise PredictionWriteError(message)
            metric.restore_rows(states)

    def _added(self) -> Iterator[tuple[str, dict[str, Tensor]]]:
        for name, metric in self._metrics.items():
            before = self._num_updates.get(name, 0)
            if metric.num_updates > before:
                yield name, metric.rows_since(before)
