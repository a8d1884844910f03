"""Scoring of a whole split, video by video, in this process or in workers."""

import math
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

from rvos.evaluation.bootstrap import (
    Difference,
    Interval,
    bootstrap_interval,
    paired_difference,
    set_differences,
    set_intervals,
)
from rvos.evaluation.protocols import ScoreRow, ScoringProtocol, VideoResult, find_protocol
from rvos.structures.errors import RvosError


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
        values: Every measure that applies, in [0, 1].
    """

    protocol: ScoringProtocol
    results: tuple[VideoResult, ...]
    values: dict[str, float]

    @property
    def rows(self) -> list[ScoreRow]:
        """All rows, video by video."""
        return [row for result in self.results for row in result.rows]

    @cached_property
    def intervals(self) -> dict[str, Interval | None]:
        """Where each value lies when other videos are drawn; None where there is no interval."""
        intervals = {
            measure.name: bootstrap_interval(self.results, measure)
            for measure in self.protocol.measures
            if measure.name in self.values
        }
        whole_set = self.protocol.set_measures(self.results)
        return intervals if whole_set is None else intervals | set_intervals(whole_set)

    def differences(self, other: "Scores") -> dict[str, Difference]:
        """Compare with another method on the same videos.

        Args:
            other: Its scores.

        Returns:
            Name to the difference, for every measure that applies to both.
        """
        differences = {
            measure.name: paired_difference(self.results, other.results, measure)
            for measure in self.protocol.measures
            if measure.name in self.values and measure.name in other.values
        }
        ours, theirs = (each.protocol.set_measures(each.results) for each in (self, other))
        if ours is None or theirs is None:
            return differences
        return differences | set_differences(ours, theirs)


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
    with tqdm(
        desc=f"scoring {job.predictions.name}",
        total=len(video_ids),
        unit="video",
        disable=not show_progress,
        file=sys.stderr,
    ) as bar:
        for result in _score_all(job, protocol, min(workers, len(video_ids))):
            results[result.video_id] = result
            bar.update()
    ordered = tuple(results[video_id] for video_id in video_ids)
    return Scores(protocol, ordered, measured_values(protocol, ordered))


def measured_values(protocol: ScoringProtocol, results: Sequence[VideoResult]) -> dict[str, float]:
    """Compute every measure of a protocol.

    Args:
        protocol: The protocol.
        results: All videos in its order.

    Returns:
        Name to value; measures whose column no row has are left out.
    """
    rows = [row for result in results for row in result.rows]
    measured = {measure.name: measure.over(rows) for measure in protocol.measures}
    applying = {name: value for name, value in measured.items() if not math.isnan(value)}
    whole_set = protocol.set_measures(results)
    if whole_set is None:
        return applying
    values = whole_set.over(np.ones(len(results), dtype=np.int64))
    return {**applying, **dict(zip(whole_set.names, values.tolist(), strict=True))}


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
