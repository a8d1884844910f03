from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rvos.inference.frame_list import FrameList
from rvos.inference.video_frame import FrameSource, flatten_alpha


@given(st.integers(0, 255), st.integers(0, 255))
def test_alpha_mixes_with_white(value: int, alpha: int) -> None:
    mixed = flatten_alpha(np.array([[[value, value, value, alpha]]], np.uint8))
    expected = round((value * alpha + 255 * (255 - alpha)) / 255)
    assert mixed.shape == (1, 1, 3)
    assert abs(int(mixed[0, 0, 0]) - expected) <= 1


def test_opaque_pixels_stay() -> None:
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    opaque = np.concatenate([image, np.full((4, 4, 1), 255, np.uint8)], axis=2)
    assert (flatten_alpha(opaque) == image).all()


def test_sources_keep_the_protocol() -> None:
    assert isinstance(FrameList(np.zeros((1, 2, 2, 3), np.uint8), Fraction(1)), FrameSource)
