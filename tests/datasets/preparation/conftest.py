import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rvos.datasets.preparation.a2d_sentences import GROUND_TRUTH as A2D_TRUTH
from rvos.datasets.preparation.jhmdb_sentences import GROUND_TRUTH as JHMDB_TRUTH

Snapshot = Callable[[Path], dict[str, str]]
ExpectedOutputs = Callable[[str, Path], dict[Path, Any]]


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


@pytest.fixture
def expected_outputs() -> ExpectedOutputs:
    """The official converter's files, by where ours go."""

    def read(benchmark: str, root: Path) -> dict[Path, Any]:
        if benchmark == "a2d_sentences":
            sources = {root / A2D_TRUTH: root / f"expected_{A2D_TRUTH}"}
        elif benchmark == "jhmdb_sentences":
            sources = {root / JHMDB_TRUTH: root / f"expected_{JHMDB_TRUTH}"}
        else:
            golden = root / "expected_converted"
            inside = golden if benchmark == "ref_davis17" else golden / benchmark
            sources = {root / p.relative_to(golden): p for p in inside.rglob("*.json")}
        return {path: json.loads(source.read_text()) for path, source in sources.items()}

    return read


@pytest.fixture
def check_golden(expected_outputs: ExpectedOutputs) -> Callable[[str, Path], None]:
    """Compare what was written with what the official converter wrote."""

    def check(benchmark: str, root: Path) -> None:
        expected = expected_outputs(benchmark, root)
        assert expected
        for path, content in expected.items():
            assert json.loads(path.read_text()) == content, path

    return check
