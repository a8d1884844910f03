"""Writing what `rvos data prepare` makes, without touching what the user has."""

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from rvos.datasets.errors import DatasetError
from rvos.datasets.files import write_json

Status = Literal["written", "up to date", "linked", "copied", "extracted", "kept"]
STATE_FOLDER = ".rvos"
_STATE_FILE = "prepared.json"


class PreparationError(DatasetError):
    """The data cannot be prepared; the message says what to mend, and nothing was lost."""


class PreparedFolder:
    """The root of a benchmark, and what has been written to it before.

    Files that another program or person has put there are kept where they say the same, and never
    replaced where they do not.

    Args:
        root: Folder of the benchmark.
        overwrite: Replace JSON files that say something else, whoever wrote them.

    Attributes:
        root: Folder of the benchmark.
        results: What became of each output, by its path below the root.
    """

    def __init__(self, root: Path, overwrite: bool = False) -> None:
        if not root.is_dir():
            message = f"{root} is no folder: give the folder that holds the benchmark as ROOT"
            raise PreparationError(message)
        self.root = root
        self.results: dict[str, Status] = {}
        self._overwrite = overwrite
        self._state_path = root / STATE_FOLDER / _STATE_FILE
        self._state = _read_state(self._state_path)

    def is_current(self, path: Path, inputs: str) -> bool:
        """Whether an output was made from these inputs and has not been changed since.

        Args:
            path: The output.
            inputs: Their :func:`fingerprint`.

        Returns:
            True if there is nothing to do; the output is then listed as up to date.
        """
        key = path.relative_to(self.root).as_posix()
        if self._state.get(key) != [inputs, _digest_file(path)]:
            return False
        self.results[key] = "up to date"
        return True

    def is_ours(self, path: Path) -> bool:
        """Whether a file is what an earlier run has written.

        Args:
            path: The file.

        Returns:
            False for a file of the user, or that the user has changed.
        """
        state = self._state.get(path.relative_to(self.root).as_posix())
        return state is not None and state[1] == _digest_file(path)

    def write(self, path: Path, content: object, inputs: str) -> None:
        """Write an output, unless it is there and says the same.

        Args:
            path: The target, below the root.
            content: What to write, as JSON.
            inputs: Fingerprint of what it is made from.

        Raises:
            PreparationError: If another file is there, which is not replaced.
        """
        key = path.relative_to(self.root).as_posix()
        digest = _digest_file(path)
        if digest is not None and _says(path, content):
            self.results[key] = "up to date"
        else:
            if digest is not None and not self.is_ours(path) and not self._overwrite:
                message = (
                    f"{path} is there already and says something else: move it away, or replace it "
                    "with --overwrite"
                )
                raise PreparationError(message)
            write_json(path, content)
            digest = _digest_file(path)
            self.results[key] = "written"
        known = [inputs, str(digest)]
        if self._state.get(key) != known:
            self._state[key] = known
            write_json(self._state_path, self._state)

    def note(self, path: Path, status: Status) -> None:
        """List an output that is no JSON file.

        Args:
            path: The output.
            status: What became of it.
        """
        self.results[path.relative_to(self.root).as_posix()] = status


def fingerprint(paths: Iterable[Path], *values: object) -> str:
    """Tell whether inputs have changed, by size and time of change.

    Args:
        paths: The files; missing ones count as such.
        values: What else the outputs depend on, as JSON.

    Returns:
        64 hexadecimal digits.

    >>> len(fingerprint([Path("no such file")], 2))
    64
    """
    digest = hashlib.sha256(json.dumps(values).encode())
    for path in paths:
        described = f"{path.name} missing"
        with suppress(OSError):
            status = path.stat()
            described = f"{path.name} {status.st_size} {status.st_mtime_ns}"
        digest.update(described.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _digest_file(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _says(path: Path, content: object) -> bool:
    try:
        found: object = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return bool(found == json.loads(json.dumps(content)))


def _read_state(path: Path) -> dict[str, list[str]]:
    """What was written before; a damaged state only costs work."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    pairs = content.items() if isinstance(content, dict) else ()
    return {key: value for key, value in pairs if isinstance(value, list) and len(value) == 2}
