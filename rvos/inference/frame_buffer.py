"""What is kept of the latest frames of a stream."""

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from rvos.models.referdino.frame_parts import FramePixels, FrameQueries

Part = TypeVar("Part", FrameQueries, FramePixels)


class FrameBuffer(Generic[Part]):
    """Keeps parts of a stream by frame number; old ones are dropped when nobody needs them.

    Args:
        join: Puts parts one after the other.

    Attributes:
        start: Number of the first frame that is kept.
        stop: Number of the next frame.
    """

    def __init__(self, join: Callable[[list[Part]], Part]) -> None:
        self._join: Callable[[list[Part]], Part] = join
        self._parts: deque[Part] = deque()
        self.start = 0
        self.stop = 0

    def append(self, part: Part) -> None:
        """Add the next frames.

        Args:
            part: At least one frame.
        """
        self._parts.append(part)
        self.stop += len(part)

    def read(self, start: int, stop: int) -> Part:
        """Put adjacent frames together.

        Args:
            start: Number of the first frame, one that is kept.
            stop: The one after the last.

        Returns:
            These frames.
        """
        found, offset = [], self.start
        for part in self._parts:
            first, last = max(start - offset, 0), min(stop - offset, len(part))
            if first < last:
                found.append(part.select(first, last))
            offset += len(part)
        return found[0] if len(found) == 1 else self._join(found)

    def forget(self, before: int) -> None:
        """Drop the parts all of whose frames are older.

        Args:
            before: Number of the first frame that is still needed.
        """
        while self._parts and self.start + len(self._parts[0]) <= before:
            self.start += len(self._parts.popleft())
