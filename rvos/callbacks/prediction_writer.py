"""Predicted masks on disk, in the layout of the benchmarks' submissions, while a run goes on."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import BasePredictionWriter

from rvos.callbacks.locked_folder import LockedFolder
from rvos.callbacks.prediction_folder import PredictionFolder
from rvos.callbacks.score_store import MetricRecorder
from rvos.datasets.clip_dataset import ClipDataset
from rvos.evaluation.benchmark_metrics import BenchmarkMetrics
from rvos.storage import write_errors
from rvos.storage.folder_lock import LOCK_NAME
from rvos.structures.predictions import VideoPrediction


@runtime_checkable
class ResumableData(Protocol):
    """A datamodule that can leave out what was done before."""

    def dataset_of(self, stage: str) -> ClipDataset:
        """Tell what is evaluated.

        Args:
            stage: ``test`` or ``predict``.
        """
        ...

    def evaluate_only(self, stage: str, indices: Sequence[int]) -> list[int]:
        """Leave out all other samples, and tell which fall to this process.

        Args:
            stage: ``test`` or ``predict``.
            indices: Positions in the data set.
        """
        ...


@runtime_checkable
class TrackKeeper(Protocol):
    """A task that hands all tracks on if it is told to."""

    keep_tracks: bool


class PredictionWriter(BasePredictionWriter):
    """Write ``<folder>/<video>/<expression id>/<frame>.png`` with 0 and 255 in predict and test.

    Once all expressions are predicted, what the benchmark's scorer or server wants is made of them,
    in the same folder: see :func:`rvos.evaluation.submissions.open_submissions`. Everything is
    written beside its place and moved there when it is complete. What the folder has already is
    neither computed nor written again, so an interrupted run can be repeated; `rvos test` keeps the
    scores of every sample there, too, and goes on with them: its table covers all samples. A folder
    with predictions of other weights, or of another selection rule, is refused, and so is one that
    another job writes to; jobs that evaluate different shards of the videos may share one.

    Args:
        folder: Where the masks go; None puts them into ``predictions`` of the run's folder. Of
            several writers the last one writes, so that the command line can name another folder.
    """

    def __init__(self, folder: str | None = None) -> None:
        super().__init__(write_interval="batch")
        self.folder = folder
        self._target: PredictionFolder | None = None
        self._recorder: MetricRecorder | None = None
        self._lock = LockedFolder()

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Look up what the folder has already, and what the benchmark needs besides masks.

        Args:
            trainer: The trainer.
            pl_module: The task.
            stage: Only ``test`` and ``predict`` matter.

        Raises:
            RvosError: The folder is another job's, cannot be written, or is damaged.
        """
        self._target = self._recorder = None
        # Lightning sets these attributes, but does not declare them.
        callbacks, data = getattr(trainer, "callbacks", []), getattr(trainer, "datamodule", None)
        writers = [each for each in callbacks if isinstance(each, PredictionWriter)]
        if stage not in {"test", "predict"} or writers[-1] is not self:
            return
        root = self._root(trainer)
        self._lock.acquire(trainer, root, _lock_name(getattr(data, "shard", None)))
        if not isinstance(data, ResumableData):
            self._target = PredictionFolder(root)
            return
        dataset, has_tracks = data.dataset_of(stage), isinstance(pl_module, TrackKeeper)
        metrics = [each for each in pl_module.children() if isinstance(each, BenchmarkMetrics)]
        target = PredictionFolder(
            root,
            dataset,
            has_tracks,
            with_scores=stage == "test",
            scored_together=metrics[0].scored_together if metrics else None,
        )
        if target.needs_tracks and isinstance(pl_module, TrackKeeper):
            pl_module.keep_tracks = True
        if target.samples:
            mine = data.evaluate_only(stage, target.to_do)
            target.mine = {target.samples[index].sample_id for index in mine}
        if target.kept:
            _say(trainer, f"{root}: {len(target.kept)} of {len(target.samples)} kept as they are")
        self._target = target

    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Make sure that the folder's predictions are of the same weights.

        Args:
            trainer: The trainer.
            pl_module: The task.
        """
        if self._target is not None:
            self._target.check_origin(pl_module, trainer)

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Make sure of the weights, then take over the scores of what was done before.

        Args:
            trainer: The trainer.
            pl_module: The task.
        """
        target = self._target
        if target is None:
            return
        target.check_origin(pl_module, trainer)
        self._recorder = MetricRecorder(pl_module)
        # One process brings them in; the metrics gather those of all.
        if target.scores is not None and trainer.is_global_zero:
            for index in target.kept:
                sample_id = target.samples[index].sample_id
                self._recorder.restore(sample_id, target.scores.read(sample_id))

    def on_test_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: object,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Remember the scores before a batch.

        Args:
            trainer: Not used.
            pl_module: Not used.
            batch: Not used.
            batch_idx: Not used.
            dataloader_idx: Not used.
        """
        del trainer, pl_module, batch, batch_idx, dataloader_idx
        if self._recorder is not None:
            self._recorder.begin()

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Write the predictions of one batch, then its scores: they say that it is complete.

        Args:
            trainer: Not used.
            pl_module: Not used.
            outputs: What the task's test step returned.
            batch: Not used.
            batch_idx: Not used.
            dataloader_idx: Not used.
        """
        del trainer, pl_module, batch, batch_idx, dataloader_idx
        if not isinstance(outputs, list):
            return
        predictions = [video for video in outputs if isinstance(video, VideoPrediction)]
        self._write(predictions)
        if self._target is None or self._target.scores is None or self._recorder is None:
            return
        # Evaluation takes one expression at a time; the scores of several cannot be told apart.
        rows = self._recorder.added() if len(predictions) == 1 else None
        if rows is not None and predictions[0].sample_id in self._target.mine:
            with write_errors(self._target.root):
                self._target.scores.keep(predictions[0].sample_id, rows)

    def write_on_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        prediction: Any,
        batch_indices: Any,
        batch: object,
        batch_idx: int,
        dataloader_idx: int,
    ) -> None:
        """Write the predictions of one batch.

        Args:
            trainer: Not used.
            pl_module: Not used.
            prediction: What the task's predict step returned.
            batch_indices: Not used.
            batch: Not used.
            batch_idx: Not used.
            dataloader_idx: Not used.
        """
        del trainer, pl_module, batch_indices, batch, batch_idx, dataloader_idx
        self._write(prediction)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Finish the submissions if nothing is left to do, and say where everything is.

        Unlike ``on_predict_end`` this is reached when there was nothing to predict, too.

        Args:
            trainer: The trainer.
            pl_module: The task.
            stage: Only ``test`` and ``predict`` matter.
        """
        target = self._target
        if target is None or stage not in {"test", "predict"}:
            return
        target.check_origin(pl_module, trainer)
        trainer.strategy.barrier()
        _say(trainer, f"masks: {target.root}")
        if trainer.is_global_zero:
            for line in target.finish(trainer.progress_bar_callback is not None):
                _say(trainer, line)
        self._lock.release()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Give the folder back; a repeated command goes on with what it holds.

        Args:
            trainer: Not used.
            pl_module: Not used.
            exception: Not used.
        """
        del trainer, pl_module, exception
        self._lock.release()

    def _write(self, predictions: Sequence[VideoPrediction]) -> None:
        for video in predictions:
            if self._target is not None:
                self._target.write(video)
                # The largest part by far, and nobody after this needs it.
                video.tracks = None

    def _root(self, trainer: Trainer) -> Path:
        if self.folder is not None:
            return Path(self.folder)
        return Path(trainer.log_dir or trainer.default_root_dir) / "predictions"


def _lock_name(shard: tuple[int, int] | None) -> str:
    """Name the lock of a part of the videos, or of all."""
    return LOCK_NAME if shard is None else f".rvos-{shard[0]}-of-{shard[1]}.lock"


def _say(trainer: Trainer, line: str) -> None:
    # Not through the task: Lightning's bar, before its first and after its last batch, is silent.
    if trainer.is_global_zero:
        sys.stdout.write(f"{line}\n")
