import pytest

from rvos.inference.stream_mode import StreamOptions
from rvos.inference.window_plan import OverlappingWindows, PastOnly, WholeVideo, WindowError


def test_every_mode_has_its_plan() -> None:
    options = StreamOptions()
    assert options.plan("exact") == options.plan("auto") == WholeVideo()
    assert options.plan("windowed") == OverlappingWindows(128, 64)
    assert options.plan("causal") == PastOnly(64)


def test_the_window_is_that_of_every_mode() -> None:
    options = StreamOptions(window=10, overlap=3)
    assert options.plan("windowed") == OverlappingWindows(10, 3)
    assert options.plan("causal") == PastOnly(10)
    assert StreamOptions(window=10).plan("windowed") == OverlappingWindows(10, 5)


@pytest.mark.parametrize(("window", "overlap"), [(8, 8), (0, None), (None, 128)])
def test_windows_that_cannot_be_are_refused_at_once(
    window: int | None, overlap: int | None
) -> None:
    with pytest.raises(WindowError):
        StreamOptions("windowed", window, overlap)
