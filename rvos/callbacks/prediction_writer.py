"""Predicted masks on disk, in the layout of the benchmarks' submissions."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import BasePredictionWriter
from PIL import Image

from rvos.datasets.clip_dataset import ClipDataset
from rvos.evaluation.submissions import (
    ExpectedSample,
    Submission,
    expected_samples,
    open_submissions,
)
from rvos.structures.errors import RvosError
from rvos.structures.predictions import VideoPrediction


class PredictionWriteError(RvosError):
    """Predicted masks cannot be written."""


@runtime_checkable
class ResumableData(Protocol):
    """A datamodule that can leave out what was predicted before."""

    def prediction_dataset(self) -> ClipDataset:
        """Tell what is predicted."""
        ...

    def predict_only(self, indices: Sequence[int]) -> None:
        """Leave out all other samples.

        Args:
            indices: Positions in the data set.
        """
        ...


@runtime_checkable
class TrackKeeper(Protocol):
    """A task that hands all tracks on if it is told to."""

    keep_tracks: bool


class PredictionWriter(BasePredictionWriter):
    """Write ``<folder>/<video>/<expression id>/<frame>.png`` with 0 and 255 in ``rvos predict``.

    Once all expressions are predicted, what the benchmark's scorer or server wants is made of them,
    in the same folder: see :func:`rvos.evaluation.submissions.open_submissions`. Everything is
    written beside its place and moved there when it is complete. What the folder has already is
    neither computed nor written again, so an interrupted run can be repeated.

    Args:
        folder: Where the masks go; None puts them into ``predictions`` of the run's folder. Of
            several writers the last one writes, so that the command line can name another folder.
    """

    def __init__(self, folder: str | None = None) -> None:
        super().__init__(write_interval="batch")
        self.folder = folder
        self._writes = True
        self._samples: list[ExpectedSample] = []
        self._submissions: list[Submission] = []

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Look up what the folder has already, and what the benchmark needs besides masks.

        Args:
            trainer: The trainer.
            pl_module: The task.
            stage: Only ``predict`` matters.
        """
        if stage != "predict":
            return
        # Lightning sets these attributes, but does not declare them.
        callbacks, data = getattr(trainer, "callbacks", []), getattr(trainer, "datamodule", None)
        writers = [each for each in callbacks if isinstance(each, PredictionWriter)]
        self._writes = not writers or writers[-1] is self
        if not self._writes or not isinstance(data, ResumableData):
            return
        dataset, root = data.prediction_dataset(), self._root(trainer)
        self._samples = expected_samples(dataset) or []
        self._submissions = open_submissions(dataset, root)
        if isinstance(pl_module, TrackKeeper):
            pl_module.keep_tracks = any(each.needs_tracks for each in self._submissions)
        else:
            self._submissions = [each for each in self._submissions if not each.needs_tracks]
        if self._samples:
            remaining = self._remaining(root)
            data.predict_only(remaining)
            num_present = len(self._samples) - len(remaining)
            if num_present:
                _say(trainer, f"{root}: {num_present} of {len(self._samples)} kept as they are")

    def write_on_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        prediction: Any,
        batch_indices: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int,
    ) -> None:
        """Write the predictions of one batch.

        Args:
            trainer: The trainer.
            pl_module: The task.
            prediction: What the task's predict step returned.
            batch_indices: Not used.
            batch: Not used.
            batch_idx: Not used.
            dataloader_idx: Not used.
        """
        del pl_module, batch_indices, batch, batch_idx, dataloader_idx
        if not self._writes:
            return
        root = self._root(trainer)
        for video in prediction:
            with _write_errors(root):
                for submission in self._submissions:
                    if video.sample_id in submission.samples:
                        submission.add(video)
            write_prediction(video, root)
            # The largest part by far, and nobody after this needs it.
            video.tracks = None

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Finish the submissions if nothing is left to predict, and say where everything is.

        Unlike ``on_predict_end`` this is reached when there was nothing to predict, too.

        Args:
            trainer: The trainer.
            pl_module: The task.
            stage: Only ``predict`` matters.
        """
        del pl_module
        if stage != "predict" or not self._writes:
            return
        trainer.strategy.barrier()
        root = self._root(trainer)
        _say(trainer, f"masks: {root}")
        if not trainer.is_global_zero:
            return
        num_left = len(self._remaining(root))
        if num_left and self._submissions:
            _say(
                trainer,
                f"{num_left} of {len(self._samples)} are not predicted yet: repeat the command "
                "with this folder for the rest, and for what the benchmark wants",
            )
            return
        for submission in self._submissions:
            with _write_errors(root):
                path = submission.finish(trainer.progress_bar_callback is not None)
            _say(trainer, f"submission: {path} ({len(submission.samples)} expressions)")

    def _remaining(self, root: Path) -> list[int]:
        """Positions of the samples that the folder lacks something of."""
        return [
            index
            for index, sample in enumerate(self._samples)
            if not all(path.is_file() for path in sample.mask_paths(root))
            or not all(
                submission.holds(sample)
                for submission in self._submissions
                if sample.sample_id in submission.samples
            )
        ]

    def _root(self, trainer: Trainer) -> Path:
        if self.folder is not None:
            return Path(self.folder)
        return Path(trainer.log_dir or trainer.default_root_dir) / "predictions"


def _say(trainer: Trainer, line: str) -> None:
    # Not through the task: Lightning's bar, before its first and after its last batch, is silent.
    if trainer.is_global_zero:
        sys.stdout.write(f"{line}\n")


@contextmanager
def _write_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"cannot write to {root} ({error}); choose a folder you may write to"
        raise PredictionWriteError(message) from error


def write_prediction(prediction: VideoPrediction, root: Path) -> Path:
    """Write the masks of one expression, whole or not at all.

    Where single frames are annotated, the samples of an expression come one by one: frames that its
    folder lacks are added to it.

    Args:
        prediction: The masks.
        root: Folder of the submission.

    Returns:
        The folder that holds one PNG per frame.

    Raises:
        PredictionWriteError: The folder cannot be written.
    """
    destination = root / prediction.video_id / _expression_id(prediction)
    part = destination.with_name(f".{destination.name}.part")
    missing = [
        position
        for position, frame_id in enumerate(prediction.frame_ids)
        if not (destination / f"{frame_id}.png").exists()
    ]
    try:
        if not missing:
            return destination
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        masks = prediction.masks.cpu().numpy().astype(np.uint8) * 255
        for position in missing:
            Image.fromarray(masks[position]).save(part / f"{prediction.frame_ids[position]}.png")
        if not destination.exists():
            part.replace(destination)
        else:
            for path in part.iterdir():
                path.replace(destination / path.name)
            part.rmdir()
    except OSError as error:
        message = f"cannot write masks to {destination} ({error}); choose a folder you may write to"
        raise PredictionWriteError(message) from error
    return destination


def _expression_id(prediction: VideoPrediction) -> str:
    """Take the second part of ``<video>/<expression id>[/<anchor>]``; video names may hold `/`."""
    rest = prediction.sample_id.removeprefix(f"{prediction.video_id}/")
    return rest.split("/")[0]
