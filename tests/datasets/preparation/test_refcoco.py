"""References and annotations that do not fit."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rvos.datasets.errors import MalformedAnnotationError
from rvos.datasets.preparation import (
    prepare_benchmark,
)

Unpack = Callable[[str], Path]


def test_reference_to_an_unknown_annotation(unpack_benchmark: Unpack) -> None:
    root = unpack_benchmark("coco")
    path = root / "refcoco" / "instances.json"
    content = json.loads(path.read_text())
    del content["annotations"][0]
    path.write_text(json.dumps(content))
    with pytest.raises(MalformedAnnotationError, match=r"lacks image 900 or annotation 9000"):
        prepare_benchmark("refcoco", root)
    assert not list(root.glob("refcoco/instances_*.json"))
