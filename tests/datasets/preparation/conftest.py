import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

Snapshot = Callable[[Path], dict[str, str]]


@pytest.fixture
def snapshot() -> Snapshot:
    """Describe every file below a folder, but not what `rvos data prepare` remembers."""

    def describe(root: Path) -> dict[str, str]:
        found = {}
        for folder, folders, files in os.walk(root):
            folders[:] = [name for name in folders if name != ".rvos"]
            for name in (*files, *folders):
                path = Path(folder, name)
                if path.is_symlink():
                    found[path.relative_to(root).as_posix()] = f"-> {path.readlink()}"
                elif path.is_file():
                    digest = hashlib.sha256(path.read_bytes()).hexdigest()
                    found[path.relative_to(root).as_posix()] = digest
        return found

    return describe
