"""The list of samples of JHMDB-Sentences."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rvos.datasets.preparation import (
    PreparationError,
    prepare_benchmark,
)

Unpack = Callable[[str], Path]


def test_jhmdb_without_its_list_says_where_it_comes_from(unpack_benchmark: Unpack) -> None:
    root = unpack_benchmark("jhmdb_sentences")
    (root / "jhmdb_sentences_samples_metadata.json").unlink()
    with pytest.raises(PreparationError, match=r"drawn at random.*MTTR"):
        prepare_benchmark("jhmdb_sentences", root)
