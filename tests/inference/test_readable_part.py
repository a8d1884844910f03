from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from rvos.inference.frame_list import FrameList
from rvos.inference.readable_part import ReadablePart
from rvos.inference.video_frame import DamagedVideoError, FrameSource, VideoFrame


class Damaged(FrameList):
    """Frames of which one cannot be read."""

    damaged_at = 2

    def __iter__(self) -> Iterator[VideoFrame]:
        for frame in super().__iter__():
            if frame.index == self.damaged_at:
                message = f"frame {frame.index} is damaged; convert the video"
                raise DamagedVideoError(message, frame.index)
            yield frame


def test_frames_before_the_damage_can_be_read_again_and_again() -> None:
    part = ReadablePart(Damaged(np.zeros((4, 6, 8, 3), np.uint8), Fraction(10)))
    assert isinstance(part, FrameSource)
    assert part.shortfall is None
    for _ in range(2):
        assert [frame.index for frame in part] == [0, 1]
        assert part.shortfall == "frame 2 is damaged; convert the video"


def test_damage_in_the_first_frame_is_an_error() -> None:
    source = Damaged(np.zeros((4, 6, 8, 3), np.uint8), Fraction(10))
    source.damaged_at = 0
    with pytest.raises(DamagedVideoError, match="frame 0"):
        list(ReadablePart(source))


def test_a_sound_video_is_whole() -> None:
    part = ReadablePart(FrameList(np.zeros((4, 6, 8, 3), np.uint8), Fraction(10)))
    assert len(list(part)) == 4
    assert part.shortfall is None
