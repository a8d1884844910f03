"""How fast training clips come, where the time goes, and what memory an index costs each worker."""

import itertools
import multiprocessing
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rvos.benchmarks.call_timer import CallTimer
from rvos.benchmarks.index_memory import IndexMemory, measure_index
from rvos.benchmarks.process_memory import read_process_memory
from rvos.benchmarks.training_sets import BenchmarkName, open_plainly, open_training_set
from rvos.datamodules.loader import training_loader
from rvos.datasets.clip_dataset import ClipDataset
from rvos.datasets.collate import collate_clips
from rvos.structures.errors import RvosError
from rvos.visualization.progress_bar import open_bar

# What data sets of videos do first with a sample; the rest of it is augmentation.
_READING = {"decode_frames": "read frames", "read_masks": "read masks"}
_REST_OF_SAMPLE, _COLLATE = "augment, normalise", "collate"


@dataclass(frozen=True)
class DataLoadingRequest:
    """What to measure.

    Attributes:
        batch_size: Clips per batch.
        num_workers: Numbers of worker processes to compare; 0 loads in the process itself.
        num_batches: Batches after the first one of each measurement.
        num_repeats: Measurements.
        seed: Of the order of the clips.
    """

    batch_size: int = 2
    num_workers: tuple[int, ...] = (0, 1, 2)
    num_batches: int = 20
    num_repeats: int = 3
    seed: int = 0


@dataclass
class LoadingTimes:
    """One number of workers; one value per repeat.

    Attributes:
        first_batch: Seconds until the first batch is there, the start of the workers included.
        clips_per_second: Clips per second after that.
        worker_bytes: Memory that a worker shares with no other process at the end, the mean of the
            workers; 0 without any.
    """

    first_batch: list[float] = field(default_factory=list)
    clips_per_second: list[float] = field(default_factory=list)
    worker_bytes: list[int] = field(default_factory=list)


@dataclass
class DataLoadingReport:
    """All that was measured.

    Attributes:
        request: What was asked for.
        num_clips: Training clips of an epoch.
        times: By number of workers.
        stages: Seconds per clip and stage in the process itself, per repeat.
        memory: Cost of the index, of ``rvos`` and ``plain``.
    """

    request: DataLoadingRequest
    num_clips: int
    times: dict[int, LoadingTimes] = field(default_factory=dict)
    stages: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, IndexMemory] = field(default_factory=dict)


def measure_dataloading(
    benchmark: BenchmarkName, root: Path, request: DataLoadingRequest, show_progress: bool = False
) -> DataLoadingReport:
    """Load training clips with the published recipe, then open the index anew for its memory.

    The numbers of workers take turns, so that a machine that grows slower does not favour one.

    Args:
        benchmark: Whose folder it is.
        root: The folder.
        request: What to measure.
        show_progress: Draw a bar with the time left on stderr.

    Returns:
        Times and memory.

    Raises:
        RvosError: The data set is missing or wrong, too small, or memory cannot be measured here.
    """
    read_process_memory()
    dataset = open_training_set(benchmark, root)
    _check_size(dataset, request)
    report = DataLoadingReport(request, len(dataset))
    num_steps = request.num_repeats * (1 + len(request.num_workers)) + 2
    with open_bar("measuring", num_steps, "step", show_progress) as bar:
        for _ in range(request.num_repeats):
            for num_workers in request.num_workers:
                times = report.times.setdefault(num_workers, LoadingTimes())
                _measure_loader(dataset, num_workers, request, times)
                bar.update()
            _measure_stages(dataset, request, report.stages)
            bar.update()
        del dataset
        most_workers = max(1, *request.num_workers)
        for title, opener in (("rvos", open_training_set), ("plain", open_plainly)):
            report.memory[title] = measure_index(partial(opener, benchmark, root), most_workers)
            bar.update()
    return report


def _check_size(dataset: ClipDataset, request: DataLoadingRequest) -> None:
    if len(dataset) < 2 * request.batch_size:
        message = (
            f"the training split has {len(dataset)} clips, but two batches need "
            f"{2 * request.batch_size}: choose a smaller --batch-size"
        )
        raise RvosError(message)


def _measure_loader(
    dataset: ClipDataset, num_workers: int, request: DataLoadingRequest, times: LoadingTimes
) -> None:
    loader = training_loader(dataset, request.batch_size, num_workers, request.seed)
    others = {process.pid for process in multiprocessing.active_children()}
    start = time.perf_counter()
    batches = iter(loader)
    next(batches)
    first = time.perf_counter()
    num_clips = sum(
        len(batch.sample_ids) for batch in itertools.islice(batches, request.num_batches)
    )
    end = time.perf_counter()
    times.first_batch.append(first - start)
    times.clips_per_second.append(num_clips / (end - first))
    workers = {process.pid for process in multiprocessing.active_children()} - others
    private = [read_process_memory(pid).private for pid in workers]
    times.worker_bytes.append(sum(private) // max(1, len(private)))


def _measure_stages(
    dataset: ClipDataset, request: DataLoadingRequest, stages: dict[str, list[float]]
) -> None:
    """Load as many clips without a loader, and see what takes how long."""
    num_clips = min(request.num_batches * request.batch_size, len(dataset))
    methods = [name for name in _READING if hasattr(dataset, name)]
    in_samples = in_collate = 0.0
    with CallTimer(dataset, methods) as timer:
        # Evenly spread, because neighbours are clips of one video.
        for number in range(0, num_clips, request.batch_size):
            start = time.perf_counter()
            positions = range(number, min(number + request.batch_size, num_clips))
            samples = [dataset[k * len(dataset) // num_clips] for k in positions]
            loaded = time.perf_counter()
            collate_clips(samples)
            in_samples += loaded - start
            in_collate += time.perf_counter() - loaded
    seconds = {_READING[name]: value for name, value in timer.seconds.items()}
    rest = in_samples - sum(seconds.values())
    seconds |= {_REST_OF_SAMPLE if methods else "sample": rest, _COLLATE: in_collate}
    for title, value in seconds.items():
        stages.setdefault(title, []).append(value / num_clips)
