"""The files of `rvos evaluate`: every table as CSV and JSON, each whole or not at all."""

import csv
import importlib.metadata
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rvos.evaluation.bootstrap import LEVEL, NUM_RESAMPLES, Interval
from rvos.evaluation.comparison import Comparison
from rvos.evaluation.protocols import ScoreRow, ScoreTable
from rvos.evaluation.score_file import ScoreFileError, write_report
from rvos.evaluation.scorer import Scores

_IDENTITY = ("video", "expression_id", "expression")


def prepare_folder(path: Path) -> None:
    """Make the folder and see that it can be written, before the scores are computed.

    Args:
        path: The folder.

    Raises:
        ScoreFileError: It cannot be made or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        writable = os.access(path, os.W_OK)
        reason = "it is read-only"
    except OSError as error:
        writable, reason = False, str(error.strerror or error)
    if not writable:
        message = f"cannot write to {path} ({reason}); choose another folder with --output"
        raise ScoreFileError(message)


def write_tables(folder: Path, scores: Scores) -> list[Path]:
    """Write the table of all rows as CSV and JSON, and those of the protocol's own as CSV.

    Args:
        folder: Where to.
        scores: The scores.

    Returns:
        The files.

    Raises:
        ScoreFileError: A file cannot be written.
    """
    columns = value_columns(scores.rows)
    head = [*_IDENTITY, *columns, "note"]
    lines = [_cells(row, columns) for row in scores.rows]
    paths = [folder / "expressions.csv", folder / "expressions.json"]
    _write_csv(paths[0], head, lines)
    entries = [
        {key: cell for key, cell in zip(head, line, strict=True) if cell != ""} for line in lines
    ]
    _write_text(paths[1], json.dumps(entries, indent=1) + "\n")
    for table in scores.protocol.tables(scores.results):
        paths.append(folder / f"{table.name}.csv")
        _write_table(paths[-1], table)
    return paths


def write_comparison(folder: Path, comparison: Comparison) -> Path:
    """Write both methods' values of the first measure, row by row, as CSV.

    Args:
        folder: Where to.
        comparison: The methods.

    Returns:
        The file.

    Raises:
        ScoreFileError: It cannot be written.
    """
    column, lines = comparison.column, []
    for row, (first, other) in zip(comparison.first.rows, comparison.row_values, strict=True):
        values = [_cell(value) for value in (first, other, first - other)]
        lines.append([row.video_id, row.expression_id, row.expression, *values])
    path = folder / "comparison.csv"
    _write_csv(path, [*_IDENTITY, column, f"{column} other", "difference"], lines)
    return path


def write_summary(folder: Path, scores: Scores, comparison: Comparison | None = None) -> Path:
    """Write measures, intervals, gaps and notes as JSON.

    Args:
        folder: Where to.
        scores: The scores.
        comparison: That of these scores with another method's.

    Returns:
        The file.

    Raises:
        ScoreFileError: It cannot be written.
    """
    protocol = scores.protocol
    content: dict[str, Any] = {
        "rvos": importlib.metadata.version("rvos"),
        "benchmark": protocol.name,
        "split": protocol.split,
        "predictions": str(protocol.predictions),
        "num_videos": len(scores.results),
        "num_rows": len(scores.rows),
        "measures": _measures(scores),
        "bootstrap": {"level": LEVEL, "num_resamples": NUM_RESAMPLES, "seed": 0},
        "notes": protocol.notes(),
        "missing": [asdict(gap) for result in scores.results for gap in result.gaps],
    }
    if comparison is not None:
        content["compared_with"] = _comparison(comparison)
    path = folder / "scores.json"
    write_report(path, content)
    return path


def value_columns(rows: Sequence[ScoreRow]) -> list[str]:
    """List the columns of rows, in the order in which they appear.

    Args:
        rows: The rows.

    Returns:
        Their names.

    >>> value_columns([ScoreRow("a", "0", "", {"J": 1.0}), ScoreRow("a", "1", "", {"F": 1.0})])
    ['J', 'F']
    """
    return list(dict.fromkeys(column for row in rows for column in row.values))


def _cells(row: ScoreRow, columns: Sequence[str]) -> list[str | int | float]:
    values = [_cell(row.values.get(column, math.nan)) for column in columns]
    return [row.video_id, row.expression_id, row.expression, *values, row.note]


def _cell(value: float) -> str | int | float:
    """Show what does not apply as an empty cell, and counts without a point."""
    if math.isnan(value):
        return ""
    return int(value) if float(value).is_integer() else value


def _measures(scores: Scores) -> dict[str, Mapping[str, Any]]:
    measures = {measure.name: measure for measure in scores.protocol.measures}
    content: dict[str, Mapping[str, Any]] = {}
    for name, value in scores.values.items():
        measure = measures.get(name)
        content[name] = {
            "value": None if math.isnan(value) else value,
            "interval": _pair(scores.intervals[name]),
            "unverified": measure is not None and measure.unverified,
        }
    return content


def _comparison(comparison: Comparison) -> dict[str, Any]:
    other = comparison.other
    differences = {
        name: {"value": found.value, "interval": _pair(found.interval)}
        for name, found in comparison.differences.items()
    }
    return {
        "predictions": str(other.protocol.predictions),
        "differences": differences,
        "measures": _measures(other),
        "missing": [asdict(gap) for result in other.results for gap in result.gaps],
    }


def _pair(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]


def _write_table(path: Path, table: ScoreTable) -> None:
    lines = [[c if isinstance(c, str) else _cell(c) for c in row] for row in table.rows]
    _write_csv(path, list(table.columns), lines)


def _write_csv(
    path: Path, head: Sequence[str], lines: Sequence[Sequence[str | int | float]]
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(lines)
    _write_text(path, text.getvalue())


def _write_text(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        message = f"cannot write {path} ({error.strerror or error}); choose another with --output"
        raise ScoreFileError(message) from error
