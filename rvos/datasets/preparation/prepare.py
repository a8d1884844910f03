"""`rvos data prepare`, benchmark by benchmark."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from rvos.datasets.preparation.a2d_sentences import prepare_a2d_sentences
from rvos.datasets.preparation.archives import ArchiveLimits, unpack_archives
from rvos.datasets.preparation.jhmdb_sentences import prepare_jhmdb_sentences
from rvos.datasets.preparation.outputs import PreparationError, PreparedFolder
from rvos.datasets.preparation.ref_davis17 import prepare_ref_davis17
from rvos.datasets.preparation.refcoco import prepare_refcoco

Benchmark = Literal[
    "ref_youtube_vos",
    "mevis",
    "ref_davis17",
    "a2d_sentences",
    "jhmdb_sentences",
    "refcoco",
    "refcoco+",
    "refcocog",
]
BENCHMARKS: tuple[Benchmark, ...] = get_args(Benchmark)
# These are read as they are released.
READ_AS_RELEASED: frozenset[Benchmark] = frozenset({"ref_youtube_vos", "mevis"})


@dataclass(frozen=True, slots=True)
class PreparationOptions:
    """How a benchmark is prepared.

    Attributes:
        unpack: Unpack the archives in the root first.
        limits: How much an archive may unpack to.
        copy: Copy frames and masks of Ref-DAVIS17 instead of linking their folders.
        overwrite: Replace JSON files that say something else, whoever wrote them.
        progress: Show bars with the time left.

    >>> PreparationOptions().copy
    False
    """

    unpack: bool = False
    limits: ArchiveLimits = field(default_factory=ArchiveLimits)
    copy: bool = False
    overwrite: bool = False
    progress: bool = False


@dataclass(frozen=True, slots=True)
class Preparation:
    """What became of a benchmark.

    Attributes:
        results: What became of each output, by its path below the root.
        notes: What the user should know of.
    """

    results: Mapping[str, str]
    notes: tuple[str, ...]


def prepare_benchmark(
    benchmark: Benchmark, root: Path, options: PreparationOptions | None = None
) -> Preparation:
    """Convert what needs converting; nothing of the user's is moved, deleted or replaced.

    Args:
        benchmark: Its name.
        root: Its folder; outputs go there too.
        options: How.

    Returns:
        What became of each output.

    Raises:
        DatasetError: If a file is missing, damaged or hostile.
        PreparationError: If something else is where an output goes, or nothing can be written.
    """
    options = PreparationOptions() if options is None else options
    folder = PreparedFolder(root, options.overwrite)
    try:
        if options.unpack:
            unpack_archives(folder, options.limits, options.progress)
        notes = _steps(benchmark, options)(folder)
    except OSError as error:
        message = (
            f"cannot write {error.filename or root}: {error.strerror or error}; free space or make "
            "it writable, the same command then goes on where it stopped"
        )
        raise PreparationError(message) from error
    return Preparation(folder.results, tuple(notes or ()))


def _steps(
    benchmark: Benchmark, options: PreparationOptions
) -> Callable[[PreparedFolder], list[str] | None]:
    """The conversion of a benchmark."""
    progress = options.progress
    if benchmark == "ref_davis17":
        return lambda folder: prepare_ref_davis17(folder, options.copy, progress)
    if benchmark == "a2d_sentences":
        return lambda folder: prepare_a2d_sentences(folder, progress)
    if benchmark == "jhmdb_sentences":
        return lambda folder: prepare_jhmdb_sentences(folder, progress)
    if benchmark in ("refcoco", "refcoco+", "refcocog"):
        return lambda folder: prepare_refcoco(folder, benchmark)
    return lambda folder: None
