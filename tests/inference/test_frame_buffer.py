import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.inference.frame_buffer import FrameBuffer
from rvos.models.referdino.frame_parts import FramePixels, join_pixels


def numbered(start: int, count: int) -> FramePixels:
    """Frames whose only value is their number."""
    numbers = torch.arange(start, start + count, dtype=torch.float32)
    return FramePixels(numbers.view(-1, 1, 1, 1), torch.ones(count, 1, 1, dtype=torch.bool))


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.data())
def test_reads_what_was_put_in_until_it_is_forgotten(sizes: list[int], data: st.DataObject) -> None:
    buffer: FrameBuffer[FramePixels] = FrameBuffer(join_pixels)
    for size in sizes:
        buffer.append(numbered(buffer.stop, size))
    assert (buffer.start, buffer.stop) == (0, sum(sizes))
    before = data.draw(st.integers(0, sum(sizes) - 1))
    buffer.forget(before)
    assert before - max(sizes) < buffer.start <= before
    start = data.draw(st.integers(before, sum(sizes) - 1))
    stop = data.draw(st.integers(start + 1, sum(sizes)))
    assert buffer.read(start, stop).features.flatten().tolist() == list(range(start, stop))


@pytest.mark.parametrize("before", [6, 100])
def test_nothing_is_kept_that_nobody_needs(before: int) -> None:
    buffer: FrameBuffer[FramePixels] = FrameBuffer(join_pixels)
    buffer.append(numbered(0, 6))
    buffer.forget(before)
    assert buffer.start == buffer.stop == 6
    assert not buffer._parts
