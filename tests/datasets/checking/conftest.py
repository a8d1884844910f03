import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rvos.datasets.preparation import prepare_benchmark

Unpack = Callable[[str], Path]


@pytest.fixture
def sound_root(
    request: pytest.FixtureRequest, unpack_benchmark: Unpack
) -> Callable[[str], tuple[Path, tuple[str, ...]]]:
    """A benchmark without a fault, and the splits of it that are complete."""

    def provide(benchmark: str) -> tuple[Path, tuple[str, ...]]:
        if benchmark in ("mevis", "ref_youtube_vos"):
            return request.getfixturevalue(f"{benchmark}_root"), ()
        root = unpack_benchmark(benchmark)
        prepare_benchmark(benchmark, root)  # type: ignore[arg-type]
        return root, ()

    return provide


@pytest.fixture
def edit_json() -> Callable[[Path, Callable[[object], object]], None]:
    """Change a JSON file in place."""

    def edit(path: Path, change: Callable[[object], object]) -> None:
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return edit
