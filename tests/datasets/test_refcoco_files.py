import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rvos.datasets.errors import MalformedAnnotationError
from rvos.datasets.refcoco_files import RELEASES, read_references


@pytest.mark.parametrize("name", RELEASES)
def test_references_keep_the_order_of_the_file(
    unpack_benchmark: Callable[[str], Path], name: Any
) -> None:
    root = unpack_benchmark("coco")
    references = read_references(root, name)
    raw = pickle.loads((root / name / RELEASES[name].references).read_bytes())
    assert [r.ref_id for r in references] == [entry["ref_id"] for entry in raw]
    assert [list(r.expressions) for r in references] == [
        [sentence["sent"] for sentence in entry["sentences"]] for entry in raw
    ]
    assert {r.split for r in references} == set(RELEASES[name].splits)


@pytest.mark.parametrize("content", [{}, [{"ref_id": 1}], [None], [{"ref_id": "x"}]])
def test_broken_references_are_named(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "refcocog" / "refs(umd).p"
    path.parent.mkdir()
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(MalformedAnnotationError, match=r"refs\(umd\)\.p"):
        read_references(tmp_path, "refcocog")
