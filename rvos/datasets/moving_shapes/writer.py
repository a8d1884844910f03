"""Writing MovingShapes to disk in the layout of another benchmark, resumable."""

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from multiprocessing.context import BaseContext
from pathlib import Path

from rvos.datasets.files import write_json
from rvos.datasets.moving_shapes.errors import MovingShapesError
from rvos.datasets.moving_shapes.layouts import (
    MAX_OBJECTS,
    make_layout,
)
from rvos.datasets.moving_shapes.preset import HELD_OUT, MovingShapesPreset
from rvos.datasets.moving_shapes.records import describe, read_records
from rvos.datasets.moving_shapes.video import make_video
from rvos.datasets.moving_shapes.vocabulary import BenchmarkLayout, Kind, Split
from rvos.datasets.moving_shapes.write_job import WriteJob
from rvos.visualization.progress_bar import open_bar

FOLDER_OF_SPLIT: dict[BenchmarkLayout, dict[Split, str]] = {
    "mevis": {"train": "train", "valid": "valid_u", "test": "test", "long": "long"},
    "ref_youtube_vos": {"train": "train", "valid": "valid", "test": "test", "long": "long"},
    "ref_davis17": {"train": "train", "valid": "valid"},
    "a2d_sentences": {"train": "train", "test": "test"},
    "jhmdb_sentences": {"test": "test"},
    "refcoco": {"train": "train", "valid": "val", "test": "testA"},
}


def write_moving_shapes(
    root: Path,
    layout: BenchmarkLayout = "mevis",
    split: Split = "train",
    num_videos: int = 1000,
    seed: int = 0,
    preset: MovingShapesPreset = HELD_OUT,
    workers: int = 1,
    progress: bool = True,
    kinds: tuple[Kind, ...] | None = None,
    folder: str | None = None,
) -> Path:
    """Write the first videos of a split in the layout of a benchmark.

    A run that was interrupted goes on where it stopped; a larger ``num_videos`` adds videos.

    Args:
        root: Root of the benchmark; made if missing.
        layout: Benchmark to imitate.
        split: Split to write.
        num_videos: Number of videos, counted from index 0.
        seed: Seed of the split.
        preset: What worlds may contain.
        workers: Processes that render; 1 renders in this one.
        progress: Show a progress bar with the time left.
        kinds: Kinds of expression to write; None takes the preset's.
        folder: Name of the split's folder; None takes the benchmark's own (MeViS: train, valid_u,
            test, long; Ref-YouTube-VOS: train, valid, test, long; see ``FOLDER_OF_SPLIT``).

    Returns:
        The folder of the split.

    Raises:
        MovingShapesError: The folder holds other data or cannot be written, or an argument is out
            of range.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as root:
        ...     folder = write_moving_shapes(Path(root), num_videos=1, progress=False)
        ...     sorted(path.name for path in folder.iterdir() if path.name[0] != ".")
        ['JPEGImages', 'mask_dict.json', 'meta_expressions.json']
    """
    _check_options(num_videos, seed, preset, workers)
    if kinds is not None:
        preset = replace(preset, kinds=kinds)
    job = WriteJob(root, layout, folder or folder_of_split(layout, split), split, seed, preset)
    return write_videos(job, range(num_videos), workers, progress)


def write_videos(
    job: WriteJob, indices: Sequence[int], workers: int = 1, progress: bool = True
) -> Path:
    """Write some videos of a split; those that are there already stay.

    Args:
        job: What is being written.
        indices: Numbers of the videos in the split.
        workers: Processes that render; 1 renders in this one.
        progress: Show a progress bar with the time left.

    Returns:
        The folder of the split.

    Raises:
        MovingShapesError: The folder holds other data or cannot be written.
    """
    try:
        job.claim()
        missing = [index for index in indices if not job.record_path(index).exists()]
        total, done = len(indices), len(indices) - len(missing)
        with open_bar(job.folder, total, "video", progress, initial=done) as bar:
            for _ in _write_all(job, missing, workers):
                bar.update()
        records = read_records(job.state)
        make_layout(job.layout, job.root, job.folder).write_annotations(records)
    except OSError as error:
        message = (
            f"cannot write {error.filename or job.root}: {error.strerror}; free space or choose "
            "another destination, the same command then goes on where it stopped"
        )
        raise MovingShapesError(message) from error
    return job.root / job.folder


def folder_of_split(layout: BenchmarkLayout, split: Split) -> str:
    """Name of a split in a benchmark.

    Args:
        layout: The benchmark.
        split: The split.

    Returns:
        Name of its folder.

    Raises:
        MovingShapesError: The benchmark has no such split.

    Example:
        >>> folder_of_split("refcoco", "valid")
        'val'
    """
    folders = FOLDER_OF_SPLIT[layout]
    if split not in folders:
        message = f"layout {layout} has no split {split}: choose of {', '.join(folders)}"
        raise MovingShapesError(message)
    return folders[split]


def write_video(job: WriteJob, index: int) -> None:
    """Write frames, annotations and record of one video; the record comes last.

    Args:
        job: What is being written.
        index: Number of the video in the split.
    """
    video = make_video(job.preset, job.split, job.seed, index)
    rendered = video.render()
    record = describe(video, rendered, index)
    partial = job.state / f"{video.video_id}.partial"
    layout = make_layout(job.layout, job.root, job.folder)
    layout.write_video(record, rendered, partial)
    write_json(job.record_path(index), asdict(record))


def _write_all(job: WriteJob, indices: list[int], workers: int) -> Iterator[int]:
    """Write videos, here or in worker processes; yields the index of each finished one."""
    if workers == 1 or len(indices) < 2:
        for index in indices:
            write_video(job, index)
            yield index
        return
    context = _process_context()
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_ignore_interrupt)
    try:
        futures = {pool.submit(write_video, job, index): index for index in indices}
        for future in as_completed(futures):
            future.result()
            yield futures[future]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _check_options(num_videos: int, seed: int, preset: MovingShapesPreset, workers: int) -> None:
    if num_videos < 1 or workers < 1 or seed < 0:
        message = "the numbers of videos and workers must be at least 1, the seed at least 0"
        raise MovingShapesError(message)
    if preset.num_objects[1] >= MAX_OBJECTS:
        message = f"a preset may have at most {MAX_OBJECTS - 1} objects per video"
        raise MovingShapesError(message)


def _process_context() -> BaseContext:
    """Clean processes: the parent may run threads (PyTorch does), which a plain fork breaks."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    # imported once in the server instead of once per worker
    context.set_forkserver_preload([__name__])
    return context


def _ignore_interrupt() -> None:
    """Leave Ctrl-C to the parent process, which lets the videos under way be finished."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
