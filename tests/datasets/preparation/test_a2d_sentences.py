"""The lists of samples of A2D-Sentences."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rvos.datasets.a2d_sentences import A2DSentencesDataset
from rvos.datasets.preparation import (
    prepare_benchmark,
)
from rvos.datasets.preparation.a2d_sentences import GROUND_TRUTH as A2D_TRUTH
from rvos.datasets.preparation.jhmdb_sentences import GROUND_TRUTH as JHMDB_TRUTH

Unpack = Callable[[str], Path]
Snapshot = Callable[[Path], dict[str, str]]
FOLDERS = {
    "ref_davis17": "ref_davis",
    "a2d_sentences": "a2d_sentences",
    "jhmdb_sentences": "jhmdb_sentences",
    "refcoco": "coco",
    "refcoco+": "coco",
    "refcocog": "coco",
}


def expected_outputs(benchmark: str, root: Path) -> dict[Path, Any]:
    """The official converter's files, by where ours go."""
    if benchmark == "a2d_sentences":
        sources = {root / A2D_TRUTH: root / f"expected_{A2D_TRUTH}"}
    elif benchmark == "jhmdb_sentences":
        sources = {root / JHMDB_TRUTH: root / f"expected_{JHMDB_TRUTH}"}
    else:
        golden = root / "expected_converted"
        inside = golden if benchmark == "ref_davis17" else golden / benchmark
        sources = {root / p.relative_to(golden): p for p in inside.rglob("*.json")}
    return {path: json.loads(source.read_text()) for path, source in sources.items()}


def check_golden(benchmark: str, root: Path) -> None:
    expected = expected_outputs(benchmark, root)
    assert expected
    for path, content in expected.items():
        assert json.loads(path.read_text()) == content, path


def test_sample_lists_are_made_where_they_are_missing(unpack_benchmark: Unpack) -> None:
    root = unpack_benchmark("a2d_sentences")
    lists = sorted(root.glob("a2d_sentences_single_frame_*.json"))
    published = {path: json.loads(path.read_text()) for path in lists}
    assert len(published) == 2
    for path in lists:
        path.unlink()
    done = prepare_benchmark("a2d_sentences", root)
    assert [done.results[path.name] for path in lists] == ["written", "written"]
    assert {path: json.loads(path.read_text()) for path in lists} == published
    check_golden("a2d_sentences", root)
    assert len(A2DSentencesDataset(root, "test")) == 10
