"""`rvos data check`, benchmark by benchmark."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rvos.datasets.checking.a2d_sentences import check_a2d_sentences
from rvos.datasets.checking.inspection import Inspection
from rvos.datasets.checking.jhmdb_sentences import check_jhmdb_sentences
from rvos.datasets.checking.mevis import check_mevis
from rvos.datasets.checking.ref_davis17 import check_ref_davis17
from rvos.datasets.checking.ref_youtube_vos import check_ref_youtube_vos
from rvos.datasets.checking.refcoco import check_refcoco
from rvos.datasets.checking.report import CheckReport
from rvos.datasets.errors import DatasetError

_CHECKS: Mapping[str, Callable[[Inspection, str], None]] = {
    "ref_youtube_vos": check_ref_youtube_vos,
    "mevis": check_mevis,
    "ref_davis17": check_ref_davis17,
    "a2d_sentences": check_a2d_sentences,
    "jhmdb_sentences": check_jhmdb_sentences,
    "refcoco": check_refcoco,
    "refcoco+": check_refcoco,
    "refcocog": check_refcoco,
}
_SPLITS: Mapping[str, tuple[str, ...]] = {
    "ref_youtube_vos": ("train", "valid", "test"),
    "mevis": ("train", "valid_u", "valid"),
    "ref_davis17": ("train", "valid"),
    "a2d_sentences": ("train", "test"),
    "jhmdb_sentences": ("test",),
    "refcoco": ("train", "val", "testA", "testB"),
    "refcoco+": ("train", "val", "testA", "testB"),
    "refcocog": ("train", "val", "test"),
}


def check_benchmark(
    benchmark: str,
    root: Path,
    splits: Sequence[str] = (),
    is_deep: bool = False,
    progress: bool = False,
) -> CheckReport:
    """Compare a benchmark on disk with what its data set reads, and say all that is wrong.

    Args:
        benchmark: Its name.
        root: Its folder.
        splits: The splits to look at; all that have to be there by default.
        is_deep: Decode every file, which takes as long as reading them.
        progress: Show bars with the time left.

    Returns:
        Faults, warnings and counts.

    Raises:
        DatasetError: If there is no such folder or split.

    >>> check_benchmark("mevis", Path("no such folder"))
    Traceback (most recent call last):
    rvos.datasets.errors.DatasetError: no such folder is no folder: give the folder that ...
    """
    if not root.is_dir():
        message = f"{root} is no folder: give the folder that holds the benchmark as ROOT"
        raise DatasetError(message)
    known = _SPLITS[benchmark]
    for split in splits:
        if split not in known:
            message = f"{benchmark} has no split {split!r}: choose of {', '.join(known)}"
            raise DatasetError(message)
    inspection = Inspection(benchmark, root, is_deep, min(8, os.cpu_count() or 1), progress)
    for split in splits or _default_splits(benchmark, root):
        _CHECKS[benchmark](inspection, split)
    return inspection.report()


def _default_splits(benchmark: str, root: Path) -> tuple[str, ...]:
    if benchmark == "a2d_sentences":
        return ("all", *_SPLITS[benchmark])
    if benchmark == "ref_youtube_vos" and not (root / "test" / "JPEGImages").is_dir():
        # The test split was withdrawn; few have it, and nobody needs it.
        return ("train", "valid")
    return _SPLITS[benchmark]
