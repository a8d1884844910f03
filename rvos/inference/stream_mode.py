"""When a stream answers: at the end, window by window, or at once."""

from dataclasses import dataclass
from typing import Literal

from rvos.inference.window_plan import OverlappingWindows, PastOnly, WholeVideo, WindowPlan

StreamMode = Literal["auto", "exact", "windowed", "causal"]

_GIBIBYTE = 2**30
_WINDOW = 128
_PAST_WINDOW = 64


@dataclass(frozen=True)
class StreamOptions:
    """When a stream answers, and from how many frames.

    Attributes:
        mode: ``exact``: every frame sees the whole video, as published, so answers come at its end;
            ``windowed``: frames see those around them, in memory that does not grow, and equal to
            ``exact`` while the video fits into one window; ``causal``: frames see those before
            them and are answered at once; ``auto``: ``exact`` while what is kept of the frames
            fits into ``memory_budget``, else ``windowed``.
        window: Frames that see each other; None = 128, and 64 for ``causal``, which looks along
            time once per frame.
        overlap: Frames that two windows share; None = half a window.
        memory_budget: Bytes; only ``auto`` reads it.
        num_frames: How long the video probably is; only ``auto`` reads it. None = unknown.

    Raises:
        WindowError: Window and overlap do not go together.

    >>> StreamOptions("windowed", window=8).plan("windowed")
    OverlappingWindows(length=8, overlap=4)
    """

    mode: StreamMode = "windowed"
    window: int | None = None
    overlap: int | None = None
    memory_budget: int = 2 * _GIBIBYTE
    num_frames: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no plan can be made of.

        Raises:
            WindowError: Window and overlap do not go together.
        """
        self.plan("causal")
        self.plan("windowed")

    def plan(self, mode: StreamMode, longest: int | None = None) -> WindowPlan:
        """Make the plan of a mode; that of ``auto`` is ``exact`` until memory is short.

        Args:
            mode: The mode.
            longest: Frames of which memory allows at most so many in a window; None = any.
        """
        if mode == "windowed":
            length = _WINDOW if self.window is None else self.window
            if longest is not None and longest < length:
                return OverlappingWindows(longest, longest // 2)
            overlap = length // 2 if self.overlap is None else self.overlap
            return OverlappingWindows(length, overlap)
        if mode == "causal":
            return PastOnly(_PAST_WINDOW if self.window is None else self.window)
        return WholeVideo()
