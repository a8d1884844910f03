"""Collecting findings and counts while a benchmark is looked through."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from rvos.datasets.checking.published_counts import PUBLISHED
from rvos.datasets.checking.report import CheckReport, Finding, SplitRow
from rvos.datasets.errors import DatasetError
from rvos.datasets.preparation.progress import make_item_bar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Inspection:
    """One run of `rvos data check`.

    Args:
        benchmark: Name of the benchmark.
        root: Its folder.
        is_deep: Decode every file.
        workers: Threads that read files.
        progress: Show bars with the time left.

    >>> inspection = Inspection("mevis", Path("data"))
    >>> inspection.fault(Path("data/train"), "is missing", "unpack it")
    >>> inspection.report().faults[0].message
    'data/train is missing: unpack it'
    """

    def __init__(
        self,
        benchmark: str,
        root: Path,
        is_deep: bool = False,
        workers: int = 4,
        progress: bool = False,
    ) -> None:
        self.benchmark = benchmark
        self.root = root
        self.is_deep = is_deep
        self._workers = workers
        self._progress = progress
        self._faults: dict[str, Finding] = {}
        self._warnings: dict[str, Finding] = {}
        self._rows: list[SplitRow] = []

    def fault(self, path: Path, problem: str, remedy: str) -> None:
        """Note what makes the data unusable.

        Args:
            path: The file or folder.
            problem: What is wrong, as a predicate: ``is missing``.
            remedy: What to do.
        """
        message = f"{path} {problem}: {remedy}"
        self._faults[message] = Finding(str(path), message)

    def fault_error(self, path: Path, error: DatasetError) -> None:
        """Note an error as a fault; its message names the remedy.

        Args:
            path: The file or folder.
            error: The error.
        """
        self._faults[str(error)] = Finding(str(path), str(error))

    def warn(self, path: Path, problem: str, remedy: str) -> None:
        """Note what may be right but should be looked at.

        Args:
            path: The file or folder.
            problem: What is strange, as a predicate.
            remedy: What to do.
        """
        message = f"{path} {problem}: {remedy}"
        self._warnings[message] = Finding(str(path), message)

    @contextmanager
    def collecting(self, path: Path) -> Iterator[None]:
        """Turn an error inside into a fault, and go on after it.

        Args:
            path: The file that it is about.

        Yields:
            Nothing.
        """
        try:
            yield
        except DatasetError as error:
            self.fault_error(path, error)

    def has_folder(self, path: Path, remedy: str) -> bool:
        """Whether a folder is there; a missing one is a fault.

        Args:
            path: The folder.
            remedy: What to do if not.

        Returns:
            True if it is there.
        """
        if path.is_dir():
            return True
        self.fault(path, "is missing", remedy)
        return False

    def count(self, split: str, counts: Mapping[str, int], path: Path) -> str:
        """Note what a split holds, and compare it with the releases.

        Args:
            split: The split, or ``all``.
            counts: What was counted.
            path: File that a difference is reported on.

        Returns:
            Name of the release, as in :class:`SplitRow`.
        """
        releases = PUBLISHED[self.benchmark].get(split, ())
        missing = "unknown" if releases else "-"
        name = next((release.name for release in releases if release.matches(counts)), missing)
        self._rows.append(SplitRow(split, dict(counts), name))
        if name == "unknown":
            known = "; ".join(
                f"{release.name} has {_listed(release.counts)}" for release in releases
            )
            wanted = {key for release in releases for key in release.counts}
            found = _listed({key: value for key, value in counts.items() if key in wanted})
            self.warn(
                path,
                f"has {found} in {split}; {known}",
                "look for what is missing, unless this is another release or your own selection",
            )
        return name

    def map(
        self, title: str, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterable[tuple[Item, Result]]:
        """Apply a function in threads, with a bar; results come in the order of the items.

        Args:
            title: What is going on.
            function: It must not raise.
            items: What to apply it to.

        Yields:
            Each item with its result.
        """
        with (
            make_item_bar(title, len(items), "file", self._progress) as bar,
            ThreadPoolExecutor(self._workers) as pool,
        ):
            for item, result in zip(items, pool.map(function, items), strict=True):
                bar.update()
                yield item, result

    def report(self) -> CheckReport:
        """What was found so far."""
        return CheckReport(
            benchmark=self.benchmark,
            root=str(self.root),
            is_deep=self.is_deep,
            rows=tuple(self._rows),
            faults=tuple(self._faults.values()),
            warnings=tuple(self._warnings.values()),
        )


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.items())
