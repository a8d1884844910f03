"""What `rvos data check` has found, as lines, as a table and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_MOST_LINES = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or that looks strange.

    Attributes:
        file: The file or folder that it is about.
        message: One line that names file, problem and remedy.

    >>> Finding("a.jpg", "a.jpg is missing: unpack again").file
    'a.jpg'
    """

    file: str
    message: str


@dataclass(frozen=True, slots=True)
class SplitRow:
    """What a split holds.

    Attributes:
        split: Its name.
        counts: What was counted, in the order of the table's columns.
        release: The release that has these counts; ``unknown`` if none has, ``-`` if none are
            published.

    >>> SplitRow("train", {"videos": 3471}, "2020").counts["videos"]
    3471
    """

    split: str
    counts: Mapping[str, int]
    release: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The outcome of a check.

    Attributes:
        benchmark: Name of the benchmark.
        root: Its folder.
        is_deep: Whether every file was decoded.
        rows: What each split holds.
        faults: What has to be mended before the data can be used.
        warnings: What may be right but should be looked at.

    >>> row = SplitRow("train", {"videos": 3}, "unknown")
    >>> report = CheckReport("mevis", "data", False, (row,), (), ())
    >>> report.summary()
    ['split  videos  release', 'train       3  unknown']
    """

    benchmark: str
    root: str
    is_deep: bool
    rows: Sequence[SplitRow]
    faults: Sequence[Finding]
    warnings: Sequence[Finding]

    def lines(self) -> list[str]:
        """The findings, faults last so that they stay on the screen."""
        return [
            *_listed("warning", self.warnings),
            *_listed("fault", self.faults),
        ]

    def summary(self) -> list[str]:
        """An aligned table with one row per split."""
        columns = list(dict.fromkeys(name for row in self.rows for name in row.counts))
        table = [["split", *columns, "release"]]
        for row in self.rows:
            numbers = [f"{row.counts[name]:,}" if name in row.counts else "" for name in columns]
            table.append([row.split, *numbers, row.release])
        widths = [max(len(cells[k]) for cells in table) for k in range(len(table[0]))]
        return [
            "  ".join(
                [
                    cells[0].ljust(widths[0]),
                    *(c.rjust(w) for c, w in zip(cells[1:-1], widths[1:-1], strict=True)),
                    cells[-1],
                ]
            ).rstrip()
            for cells in table
        ]

    def verdict(self) -> str:
        """One line that says whether the data can be used."""
        depth = "every file decoded" if self.is_deep else "files not decoded; --deep does"
        found = f"{_count(self.faults, 'fault')}, {_count(self.warnings, 'warning')}"
        return f"{self.benchmark} in {self.root}: {found} ({depth})"

    def as_json(self) -> dict[str, Any]:
        """Everything, for a file."""
        return {
            "benchmark": self.benchmark,
            "root": self.root,
            "deep": self.is_deep,
            "splits": {
                row.split: {"counts": dict(row.counts), "release": row.release} for row in self.rows
            },
            "faults": [{"file": item.file, "message": item.message} for item in self.faults],
            "warnings": [{"file": item.file, "message": item.message} for item in self.warnings],
        }


def _listed(title: str, findings: Sequence[Finding]) -> list[str]:
    lines = [f"{title}: {finding.message}" for finding in findings[:_MOST_LINES]]
    more = len(findings) - _MOST_LINES
    if more > 0:
        lines.append(f"{title}: and {more} more; --report FILE writes all of them")
    return lines


def _count(findings: Sequence[Finding], noun: str) -> str:
    return f"{len(findings)} {noun}{'' if len(findings) == 1 else 's'}"
