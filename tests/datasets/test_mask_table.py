from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.mask_table import MaskTable
from rvos.ops.rle import RunLengthMask, encode_mask

entries = st.one_of(
    st.none(),
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99)).map(
        lambda v: np.random.default_rng(v[2]).random((v[0], v[1])) < 0.5
    ),
)


@given(st.dictionaries(st.text(max_size=3), st.lists(entries, max_size=4), max_size=4))
def test_table_gives_back_what_it_was_given(content: dict[str, list[np.ndarray | None]]) -> None:
    def as_json(mask: np.ndarray | None) -> dict[str, Any] | None:
        if mask is None:
            return None
        return {"size": list(mask.shape), "counts": encode_mask(mask).counts.decode()}

    table = MaskTable((track, [as_json(m) for m in masks]) for track, masks in content.items())
    for track, masks in content.items():
        assert track in table
        assert table.num_frames(track) == len(masks)
        for frame, mask in enumerate(masks):
            expected: RunLengthMask | None = None if mask is None else encode_mask(mask)
            assert table.mask(track, frame) == expected
    assert "missing" not in table


@pytest.mark.parametrize("entry", [{"size": [1, 2]}, {"counts": "6"}, {"size": 3, "counts": "6"}])
def test_wrong_entries_are_refused(entry: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        MaskTable([("0", [entry])])
