"""Results of a long conversion, kept one by one, so that a killed run goes on where it stopped."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rvos.datasets.preparation.outputs import STATE_FOLDER


class Journal:
    """A file with one line per finished item.

    Args:
        path: The file.
        inputs: Fingerprint of what the items are made from; results of other inputs are dropped.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "journal"
    >>> with Journal(path, "a").writing() as journal:
    ...     journal.add("first", {"area": 3})
    >>> Journal(path, "a").done, Journal(path, "b").done
    ({'first': {'area': 3}}, {})
    """

    def __init__(self, path: Path, inputs: str) -> None:
        self.done: dict[str, Any] = {}
        self._path = path
        self._inputs = inputs
        self._stream: Any = None
        self._read()

    @contextmanager
    def writing(self) -> Iterator["Journal"]:
        """Open the file for more results.

        Yields:
            The journal itself.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Written anew, because the last line of a killed run may be half a line.
        partial = self._path.with_name(f"{self._path.name}.partial")
        with partial.open("w", encoding="utf-8") as self._stream:
            self._line(self._inputs)
            for key, value in self.done.items():
                self._line([key, value])
            self._stream.flush()
            partial.replace(self._path)
            yield self

    def add(self, key: str, value: Any) -> None:
        """Keep a result.

        Args:
            key: The item.
            value: Its result, as JSON.
        """
        self.done[key] = value
        self._line([key, value])
        self._stream.flush()

    def discard(self) -> None:
        """Delete the file; its results are in the output."""
        self._path.unlink(missing_ok=True)

    def _line(self, content: object) -> None:
        self._stream.write(json.dumps(content) + "\n")

    def _read(self) -> None:
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return
        if not lines or lines[0] != json.dumps(self._inputs):
            return
        for line in lines[1:]:
            try:
                key, value = json.loads(line)
            except ValueError:  # the line during which the run was killed
                return
            self.done[key] = value


def journal_path(output: Path, root: Path) -> Path:
    """Where the journal of an output lies.

    Args:
        output: The output.
        root: Folder of the benchmark.

    Returns:
        The path.

    >>> journal_path(Path("a2d/gt.json"), Path("a2d")).as_posix()
    'a2d/.rvos/gt.json.journal'
    """
    return root / STATE_FOLDER / f"{output.name}.journal"
