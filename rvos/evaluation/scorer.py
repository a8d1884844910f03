"""Scoring of a whole split, video by video, in this process or in workers."""

import math
import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch

from rvos.evaluation.bootstrap import Interval, bootstrap_interval, set_intervals
from rvos.evaluation.protocols import ScoreRow, ScoringProtocol, VideoResult, find_protocol
from rvos.evaluation.set_measures import SetMeasures
from rvos.structures.errors import RvosError
from rvos.visualization.progress_bar import open_bar


class ScoringError(RvosError):
    """A prediction cannot be scored, or a worker ended."""


@dataclass(frozen=True, slots=True)
class ScoringJob:
    """All that determines the scores; sent to every worker.

    Attributes:
        benchmark: Its name.
        root: Its folder.
        predictions: Folder, zip archive or file of predictions.
        split: Which split; None takes the protocol's own.
    """

    benchmark: str
    root: Path
    predictions: Path
    split: str | None = None

    def open(self) -> ScoringProtocol:
        """Open benchmark and predictions.

        Returns:
            The protocol.

        Raises:
            RvosError: Either cannot be read.
        """
        return find_protocol(self.benchmark)(self.root, self.predictions, self.split)


@dataclass(frozen=True)
class Scores:
    """What one method reached.

    Attributes:
        protocol: The protocol, still open.
        results: All videos in the protocol's order.
    """

    protocol: ScoringProtocol
    results: tuple[VideoResult, ...]

    @property
    def rows(self) -> list[ScoreRow]:
        """All rows, video by video."""
        return [row for result in self.results for row in result.rows]

    @cached_property
    def set_measures(self) -> SetMeasures | None:
        """The protocol's measures that are no ratio of sums, prepared once."""
        return self.protocol.set_measures(self.results)

    @cached_property
    def values(self) -> dict[str, float]:
        """Every measure in [0, 1]; those whose column no row has are left out."""
        rows = self.rows
        measured = {measure.name: measure.over(rows) for measure in self.protocol.measures}
        applying = {name: value for name, value in measured.items() if not math.isnan(value)}
        if self.set_measures is None:
            return applying
        values = self.set_measures.over(np.ones(len(self.results), dtype=np.int64)).tolist()
        return applying | dict(zip(self.set_measures.names, values, strict=True))

    @cached_property
    def intervals(self) -> dict[str, Interval | None]:
        """Where each value lies when other videos are drawn; None where there is no interval."""
        intervals = {
            measure.name: bootstrap_interval(self.results, measure)
            for measure in self.protocol.measures
            if measure.name in self.values
        }
        if self.set_measures is None:
            return intervals
        return intervals | set_intervals(self.set_measures)


def score_predictions(job: ScoringJob, workers: int = 1, show_progress: bool = False) -> Scores:
    """Score all videos; the scores are equal to the bit for any number of workers.

    Args:
        job: What to score.
        workers: Processes; 1 scores in this one.
        show_progress: Show a bar with the time left on stderr.

    Returns:
        The scores.

    Raises:
        RvosError: Benchmark or predictions cannot be read; the first video that fails ends the
            run.
    """
    protocol = job.open()
    video_ids = list(protocol.video_ids)
    results: dict[str, VideoResult] = {}
    title = f"scoring {job.predictions.name}"
    with open_bar(title, len(video_ids), "video", show_progress) as bar:
        for result in _score_all(job, protocol, min(workers, len(video_ids))):
            results[result.video_id] = result
            bar.update()
    return Scores(protocol, tuple(results[video_id] for video_id in video_ids))


def available_workers() -> int:
    """Count the processors that this process may use.

    Returns:
        At least 1.

    >>> available_workers() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _score_all(job: ScoringJob, protocol: ScoringProtocol, workers: int) -> Iterator[VideoResult]:
    if workers <= 1:
        for video_id in protocol.video_ids:
            yield protocol.score_video(video_id)
        return
    # Clean processes: the parent may run threads (PyTorch does), which a fork breaks.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, _start_worker, (job,))
    try:
        futures = [pool.submit(_score_in_worker, video_id) for video_id in protocol.video_ids]
        for future in as_completed(futures):
            outcome = future.result()
            if isinstance(outcome, str):
                raise ScoringError(outcome)
            yield outcome
    except BrokenProcessPool as error:
        message = "a worker ended without an answer, perhaps for lack of memory; lower --workers"
        raise ScoringError(message) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


# The protocol of this worker, or why it could not be opened.
_opened: ScoringProtocol | str = "not a worker"


def _start_worker(job: ScoringJob) -> None:
    global _opened
    # Ctrl-C is left to the parent, and the cores to the other workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        _opened = job.open()
    except RvosError as error:
        _opened = str(error)


def _score_in_worker(video_id: str) -> VideoResult | str:
    """Score one video; an error comes back as text, because not every error can be pickled."""
    if isinstance(_opened, str):
        return _opened
    try:
        return _opened.score_video(video_id)
    except RvosError as error:
        return str(error)
