"""The lists of samples of A2D-Sentences."""

import json
from collections.abc import Callable
from pathlib import Path

from rvos.datasets.a2d_sentences import A2DSentencesDataset
from rvos.datasets.preparation import (
    prepare_benchmark,
)

Unpack = Callable[[str], Path]


def test_sample_lists_are_made_where_they_are_missing(
    unpack_benchmark: Unpack, check_golden: Callable[[str, Path], None]
) -> None:
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
