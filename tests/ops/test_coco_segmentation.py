from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rvos.ops.coco_segmentation import segmentation_to_rle
from rvos.ops.rle import decode_mask, encode_mask

_SIDE = st.integers(1, 9)


def _counts(mask: np.ndarray) -> list[int]:
    """Run lengths by columns, beginning with background."""
    runs, value = [0], False
    for pixel in mask.T.reshape(-1).tolist():
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    return runs


@given(hnp.arrays(bool, st.tuples(_SIDE, _SIDE)))
def test_run_lengths_give_the_mask_in_either_form(mask: np.ndarray) -> None:
    size = list(mask.shape)
    text = encode_mask(mask).counts.decode("ascii")
    for counts in (text, _counts(mask)):
        rle = segmentation_to_rle({"size": size, "counts": counts}, *mask.shape)
        np.testing.assert_array_equal(decode_mask(rle), mask)


@given(st.lists(st.integers(0, 12), min_size=4, max_size=4), _SIDE, _SIDE)
def test_polygons_of_whole_pixels_are_rectangles(corners: list[int], h: int, w: int) -> None:
    x0, x1, y0, y1 = corners[0], corners[0] + w, corners[1], corners[1] + h
    rle = segmentation_to_rle([[x0, y0, x1, y0, x1, y1, x0, y1]], 24, 30)
    expected = np.zeros((24, 30), dtype=bool)
    expected[y0:y1, x0:x1] = True
    np.testing.assert_array_equal(decode_mask(rle), expected)


def test_several_polygons_are_united() -> None:
    first, second = [0, 0, 4, 0, 4, 4, 0, 4], [2.0, 2.0, 6.0, 2.0, 6.0, 6.0, 2.0, 6.0]
    both = decode_mask(segmentation_to_rle([first, second], 8, 8))
    alone = [decode_mask(segmentation_to_rle([polygon], 8, 8)) for polygon in (first, second)]
    np.testing.assert_array_equal(both, alone[0] | alone[1])


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        ([[0, 0, 4, 0]], "three points or more, got 4"),
        ([[0, 0, 4, 0, 4, 4, 0]], "three points or more, got 7"),
        ([], "must be polygons or run lengths"),
        (None, "must be polygons or run lengths"),
        ({"size": [8, 9], "counts": "h2"}, r"size \[8, 9\] for an image of size \[8, 8\]"),
        ({"counts": "h2"}, "size None"),
        ({"size": [8, 8], "counts": [3, 4]}, "add up to 7, not to 64"),
        ({"size": [8, 8]}, "must be text or a list"),
        ({"size": [8, 8], "counts": "5"}, "cover 5 pixels"),
    ],
)
def test_anything_else_is_refused(segmentation: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        segmentation_to_rle(segmentation, 8, 8)
