"""How long a video file says to be, against what is in it."""

import re
from dataclasses import dataclass

import av

# Containers round, and decoders drop a frame here and there.
_LEAST_SHARE = 0.9
# What the writers of Matroska files note per stream: hours, minutes, seconds.
_DURATION_TAG = re.compile(r"([0-9]{1,4}):([0-9]{2}):([0-9]{2}(?:\.[0-9]{1,9})?)")


@dataclass(frozen=True)
class AnnouncedLength:
    """What the header says.

    Attributes:
        num_frames: Frames; None if it does not tell.
        seconds: End of the pictures; None if it does not tell.

    >>> print(AnnouncedLength(100, 4.0).missing_after(40, 1.6))
    ends after 40 of 100 frames: it is cut off or damaged; ...
    >>> print(AnnouncedLength(None, 4.0).missing_after(100, 4.0))
    None
    """

    num_frames: int | None
    seconds: float | None

    @classmethod
    def of(
        cls, container: av.container.InputContainer, stream: av.VideoStream
    ) -> "AnnouncedLength":
        """Read the header of a file.

        Args:
            container: The file.
            stream: Its pictures.

        Returns:
            The length.
        """
        tag = _DURATION_TAG.match(stream.metadata.get("DURATION", ""))
        seconds = None
        if stream.duration and stream.time_base:
            seconds = float(((stream.start_time or 0) + stream.duration) * stream.time_base)
        elif tag is not None:
            seconds = 3600 * int(tag[1]) + 60 * int(tag[2]) + float(tag[3])
        elif container.duration and len(container.streams) == 1:
            # With sound, it may be the sound that goes on.
            seconds = container.duration / av.time_base
        return cls(stream.frames or None, seconds)

    def missing_after(self, num_frames: int, seconds: float) -> str | None:
        """Compare with what was decoded.

        Args:
            num_frames: Frames that were.
            seconds: When the last of them ends.

        Returns:
            What is missing; None if next to nothing is.
        """
        end = None
        # Only where frames are not counted: the last one may stay on the screen for long.
        if self.num_frames is not None and num_frames < _LEAST_SHARE * self.num_frames:
            end = f"ends after {num_frames} of {self.num_frames} frames"
        elif self.num_frames is None and seconds < _LEAST_SHARE * (self.seconds or 0.0):
            end = f"ends at {seconds:.1f} s of {self.seconds:.1f} s, after {num_frames} frames"
        return end and f"{end}: it is cut off or damaged; copy or download it again"
