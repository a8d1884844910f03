"""Rows of annotation files that are tables, with errors that name the file."""

import csv
from collections.abc import Iterator
from pathlib import Path

from rvos.datasets.errors import DatasetNotFoundError, MalformedAnnotationError


def read_csv_rows(path: Path, benchmark: str) -> Iterator[tuple[int, list[str]]]:
    """Read a CSV file row by row, empty rows left out.

    Args:
        path: The file.
        benchmark: Named in the error if the file is missing.

    Yields:
        Number of each row, counted from 1, and its columns.

    Raises:
        DatasetNotFoundError: Without the file.
        MalformedAnnotationError: If it is no text or no CSV; perhaps after some rows.
    """
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            for number, row in enumerate(csv.reader(stream), start=1):
                if row:
                    yield number, row
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DatasetNotFoundError(path, benchmark) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise MalformedAnnotationError(path, f"no CSV: {error}") from error
