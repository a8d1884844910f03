"""Every frame is answered once, in order, from a window that it lies in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.inference.window_plan import (
    OverlappingWindows,
    PastOnly,
    WholeVideo,
    Window,
    WindowError,
    WindowPlan,
)

PLANS = st.one_of(
    st.just(WholeVideo()),
    st.builds(PastOnly, st.integers(1, 9)),
    st.integers(1, 9).flatmap(
        lambda n: st.builds(OverlappingWindows, st.just(n), st.integers(0, n - 1))
    ),
)


def all_windows(plan: WindowPlan, chunks: list[int]) -> list[Window]:
    """Feed chunks, check what each step needs, and end."""
    found: list[Window] = []
    seen = answered = kept_from = 0
    for step, size in enumerate([*chunks, 0]):
        seen += size
        for window in plan.windows(seen, answered, ended=step == len(chunks)):
            assert kept_from <= window.start <= window.first == answered
            assert window.first < window.last <= window.stop <= seen
            answered = window.last
            found.append(window)
        # What was dropped once never comes back, and nothing unanswered is dropped.
        needed = plan.first_needed(seen, answered)
        assert needed <= answered
        kept_from = max(kept_from, needed)
    assert answered == seen
    return found


@given(PLANS, st.lists(st.integers(1, 7), max_size=8))
def test_every_frame_is_answered_once_whatever_the_chunks(
    plan: WindowPlan, chunks: list[int]
) -> None:
    by_chunk = all_windows(plan, chunks)
    by_frame = all_windows(plan, [1] * sum(chunks))
    if not isinstance(plan, WholeVideo):
        assert by_chunk == by_frame
    assert sum(window.last - window.first for window in by_chunk) == sum(chunks)


@given(st.integers(1, 9), st.integers(1, 40), st.data())
def test_windows_have_their_length_and_frames_their_surroundings(
    length: int, num_frames: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, length - 1))
    for window in all_windows(OverlappingWindows(length, overlap), [num_frames]):
        assert window.stop - window.start == min(length, num_frames)
        for frame in range(window.first, window.last):
            before, after = frame - window.start, window.stop - 1 - frame
            assert before >= min(overlap - overlap // 2, frame)
            assert after >= min(overlap // 2, num_frames - 1 - frame)


@given(st.integers(1, 9), st.integers(0, 40))
def test_a_video_that_fits_is_one_window(length: int, num_frames: int) -> None:
    plan = OverlappingWindows(length, length // 2)
    seen_by = {(w.start, w.stop) for w in all_windows(plan, [1] * min(length, num_frames))}
    assert seen_by <= {(0, min(length, num_frames))}


@given(st.integers(1, 9), st.integers(0, 40))
def test_past_only_looks_at_nothing_later(length: int, num_frames: int) -> None:
    for frame, window in enumerate(
        all_windows(PastOnly(length), [num_frames] if num_frames else [])
    ):
        assert window == Window(max(0, frame + 1 - length), frame + 1, frame, frame + 1)


@pytest.mark.parametrize(("length", "overlap"), [(4, 4), (4, 5), (4, -1), (0, 0)])
def test_windows_that_do_not_move_on_are_refused(length: int, overlap: int) -> None:
    with pytest.raises(WindowError, match="overlap must be shorter than the window"):
        OverlappingWindows(length, overlap)
    with pytest.raises(WindowError, match="shows nothing"):
        PastOnly(0)
