"""Which frames are looked at together, and which of them are answered then."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rvos.structures.errors import RvosError


class WindowError(RvosError):
    """A window that no video can be divided into."""


@dataclass(frozen=True)
class Window:
    """Adjacent frames that the temporal decoder sees as one clip.

    Attributes:
        start: First frame looked at.
        stop: The one after the last frame looked at.
        first: First frame answered.
        last: The one after the last frame answered.
    """

    start: int
    stop: int
    first: int
    last: int


@runtime_checkable
class WindowPlan(Protocol):
    """Decides when enough frames are there to answer some of them."""

    @property
    def name(self) -> str:
        """Say how far frames see."""

    def windows(self, num_seen: int, num_answered: int, ended: bool) -> list[Window]:
        """List what can be answered now, in order.

        Args:
            num_seen: Frames so far.
            num_answered: Those of them that have their answer.
            ended: Whether no frame will follow; then every frame gets its answer.
        """

    def first_needed(self, num_seen: int, num_answered: int) -> int:
        """Tell which is the first frame that a later window may look at.

        Args:
            num_seen: Frames so far.
            num_answered: Those of them that have their answer.
        """


@dataclass(frozen=True)
class WholeVideo:
    """Every frame sees every other one, as published: answers come when the video has ended.

    >>> WholeVideo().windows(9, 0, ended=True)
    [Window(start=0, stop=9, first=0, last=9)]
    """

    @property
    def name(self) -> str:
        """Say how far frames see."""
        return "exact"

    def windows(self, num_seen: int, num_answered: int, ended: bool) -> list[Window]:
        """List what can be answered now, in order.

        Args:
            num_seen: Frames so far.
            num_answered: Those of them that have their answer.
            ended: Whether no frame will follow.
        """
        if not ended or num_answered == num_seen:
            return []
        return [Window(0, num_seen, num_answered, num_seen)]

    def first_needed(self, num_seen: int, num_answered: int) -> int:
        """Tell which is the first frame that a later window may look at.

        Args:
            num_seen: Frames so far.
            num_answered: Those of them that have their answer.
        """
        return 0


@dataclass(frozen=True)
class OverlappingWindows:
    """Windows of one length; in the middle of an overlap the later one takes over.

    So every frame but those at both ends of the video sees half an overlap before and after it. The
    last window reaches back to the full length.

    Attributes:
        length: Frames of a window.
        overlap: Frames that a window shares with the next one.

    Raises:
        WindowError: Windows do not move on.

    >>> plan = OverlappingWindows(length=8, overlap=4)
    >>> for window in plan.windows(13, 0, ended=True):
    ...     print(window)
    Window(start=0, stop=8, first=0, last=6)
    Window(start=4, stop=12, first=6, last=10)
    Window(start=5, stop=13, first=10, last=13)
    """

    length: int
    overlap: int

    def __post_init__(self) -> None:
        """Refuse windows that do not move on.

        Raises:
            WindowError: They do not.
        """
        if not 0 <= self.overlap < self.length:
            message = (
                f"windows of {self.length} frames cannot overlap by {self.overlap}; the overlap "
                "must be shorter than the window"
            )
            raise WindowError(message)

    @property
    def name(self) -> str:
        """Say how far frames see."""
        return f"windowed ({self.length} frames, overlap {self.overlap})"

    def windows(self, num_seen: int, num_answered: int, ended: bool) -> list[Window]:
        """List what can be answered now, in order.

        Args:
            num_seen: Frames so far.
            num_answered: Those of them that have their answer.
            ended: Whether no frame will follow.
        """
        found = []
        stop = self._next_stop(num_answered)
        while stop <= num_seen:
            answered = stop - self.overlap // 2
            found.append(Window(stop - self.length, stop, num_answered, answered))
            num_answered, stop = answered, self._next_stop(answered)
        if ended and num_answered < num_seen:
            start = max(0, num_seen - self.length)
            found.append(Window(start, num_seen, num_answered, num_seen))
        return found

    def first_needed(self, num_seen: int, num_answered: int) -> int:
        """Tell which is the first frame that a later window may look at.

        Args:
            num_seen: Frames so far.
            num_answered: Those of them that have their answer.
        """
        # The video may end any time, or the next window be filled first.
        return max(0, min(num_seen, self._next_stop(num_answered)) - self.length)

    def _next_stop(self, num_answered: int) -> int:
        if num_answered == 0:
            return self.length
        return num_answered + self.overlap // 2 + self.length - self.overlap


@dataclass(frozen=True)
class PastOnly:
    """Every frame is answered at once, from itself and the frames before it.

    Attributes:
        length: Frames looked at, the newest one included.

    Raises:
        WindowError: Not even the newest frame is looked at.

    >>> PastOnly(length=4).windows(6, 5, ended=False)
    [Window(start=2, stop=6, first=5, last=6)]
    """

    length: int

    def __post_init__(self) -> None:
        """Refuse windows without a frame.

        Raises:
            WindowError: There is none.
        """
        if self.length < 1:
            message = f"a window of {self.length} frames shows nothing; give 1 or more"
            raise WindowError(message)

    @property
    def name(self) -> str:
        """Say how far frames see."""
        return f"causal ({self.length} frames)"

    def windows(self, num_seen: int, num_answered: int, ended: bool) -> list[Window]:
        """List what can be answered now, in order.

        Args:
            num_seen: Frames so far.
            num_answered: Those of them that have their answer.
            ended: Whether no frame will follow.
        """
        return [
            Window(max(0, frame + 1 - self.length), frame + 1, frame, frame + 1)
            for frame in range(num_answered, num_seen)
        ]

    def first_needed(self, num_seen: int, num_answered: int) -> int:
        """Tell which is the first frame that a later window may look at.

        Args:
            num_seen: Frames so far.
            num_answered: Those of them that have their answer.
        """
        return max(0, num_answered + 1 - self.length)
