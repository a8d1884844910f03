"""Which frames of a video make a clip."""

from typing import Protocol, runtime_checkable

import numpy as np

from rvos.datasets.errors import ClipLengthError


@runtime_checkable
class FrameSampler(Protocol):
    """Chooses the frames of a clip."""

    def __call__(
        self, num_video_frames: int, anchor: int, generator: np.random.Generator, reversible: bool
    ) -> list[int]:
        """Choose.

        Args:
            num_video_frames: Length of the video, at least 1.
            anchor: Index of the frame that the clip is about.
            generator: Source of every random draw.
            reversible: Whether the expression stays true when the clip is played backwards.

        Returns:
            Frame indices in the order of the clip.
        """
        ...


class ClipSampler:
    """The anchor, local frames 1 to 3 before and after it, the rest from outside that window.

    Indices are sorted, then sometimes reversed as a whole, and repeated only where the video is
    shorter than the clip. At an end of the video the missing local frame becomes a global one.

    Args:
        num_frames: Length of the clip, T.
        reverse_probability: Chance of playing a reversible clip backwards.
        local_radius: Largest distance of a local frame from the anchor.

    >>> ClipSampler(3, reverse_probability=0.0)(3, 1, np.random.default_rng(0), reversible=False)
    [0, 1, 2]
    """

    def __init__(
        self, num_frames: int, reverse_probability: float = 0.3, local_radius: int = 3
    ) -> None:
        if num_frames < 1 or local_radius < 1:
            message = f"need num_frames, local_radius >= 1, got {num_frames}, {local_radius}"
            raise ClipLengthError(message)
        self.num_frames = num_frames
        self.reverse_probability = reverse_probability
        self.local_radius = local_radius

    def __call__(
        self, num_video_frames: int, anchor: int, generator: np.random.Generator, reversible: bool
    ) -> list[int]:
        """Choose T frames.

        Args:
            num_video_frames: Length of the video, at least 1.
            anchor: Index of a frame that the clip contains.
            generator: Source of every random draw.
            reversible: Whether the clip may be played backwards.

        Returns:
            T frame indices.
        """
        if num_video_frames <= self.num_frames:
            chosen = _every_frame(num_video_frames, self.num_frames, generator)
        else:
            chosen = self._local_frames(num_video_frames, anchor, generator)
            low, high = min(chosen), max(chosen)
            pool = [i for i in range(num_video_frames) if i < low or i > high]
            missing = self.num_frames - len(chosen)
            if len(pool) < missing:
                pool = [i for i in range(num_video_frames) if i not in chosen]
            chosen += generator.choice(pool, size=missing, replace=False).tolist()
        chosen.sort()
        backwards = generator.random() < self.reverse_probability
        return chosen[::-1] if reversible and backwards else chosen

    def _local_frames(
        self, num_video_frames: int, anchor: int, generator: np.random.Generator
    ) -> list[int]:
        """The anchor and as many of its two local neighbours as the clip has room for."""
        before = range(max(0, anchor - self.local_radius), anchor)
        after = range(anchor + 1, min(num_video_frames, anchor + self.local_radius + 1))
        neighbours = [int(generator.choice(side)) for side in (before, after) if len(side)]
        room = min(len(neighbours), self.num_frames - 1)
        return [anchor, *generator.permutation(neighbours)[:room].astype(int).tolist()]


class PublishedClipSampler:
    """The released sampler, to the letter: fixed order of draws and repeated frames included.

    A local frame beyond the end of the video repeats the end; the largest chosen index can be drawn
    again; two frames are the first two of three. Where the release fails (video much shorter than
    the clip) frames are drawn with replacement, as its MeViS variant does.

    Args:
        num_frames: Length of the clip, T.
        reverse_probability: Chance of playing the clip backwards, whatever the expression says.

    >>> PublishedClipSampler(1)(10, 4, np.random.default_rng(0), reversible=True)
    [4]
    """

    def __init__(self, num_frames: int, reverse_probability: float = 0.3) -> None:
        self.num_frames = num_frames
        self.reverse_probability = reverse_probability

    def __call__(
        self, num_video_frames: int, anchor: int, generator: np.random.Generator, reversible: bool
    ) -> list[int]:
        """Choose T frames.

        Args:
            num_video_frames: Length of the video, at least 1.
            anchor: Index of the frame that the clip is about.
            generator: Source of every random draw.
            reversible: Ignored, as released.

        Returns:
            T frame indices.
        """
        del reversible
        if self.num_frames == 1:
            return [anchor]
        before, after = (int(offset) for offset in generator.integers(1, 4, size=2))
        chosen = [anchor, max(0, anchor - before), min(num_video_frames - 1, anchor + after)]
        if self.num_frames > 3:
            chosen += self._global_frames(num_video_frames, chosen, generator)
        chosen.sort()
        if generator.random() < self.reverse_probability:
            chosen.reverse()
        return chosen[: self.num_frames]

    def _global_frames(
        self, num_video_frames: int, local: list[int], generator: np.random.Generator
    ) -> list[int]:
        missing = self.num_frames - 3
        everything = list(range(num_video_frames))
        outside = everything[: min(local)] + everything[max(local) :]
        if len(outside) > missing:
            return _draw(outside, missing, generator)
        if num_video_frames >= missing:
            return _draw(everything, missing, generator)
        return everything + _draw(everything, missing - num_video_frames, generator)


class EvenClipSampler:
    """Frames at one distance around the anchor, so that a tracker can follow what moves.

    The frames that the published sampler draws from far away lie further apart than look-alikes
    do: which of them is which can then only be guessed.

    Args:
        num_frames: Length of the clip, T.
        max_step: Largest distance of neighbouring frames; each clip draws its own.
        reverse_probability: Chance of playing a reversible clip backwards.
        min_step: Smallest distance. What starts late or leaves is only seen by a clip that spans
            most of its video.

    >>> EvenClipSampler(4, max_step=1)(9, 8, np.random.default_rng(0), reversible=False)
    [5, 6, 7, 8]
    """

    def __init__(
        self,
        num_frames: int,
        max_step: int = 3,
        reverse_probability: float = 0.3,
        min_step: int = 1,
    ) -> None:
        if num_frames < 1 or not 1 <= min_step <= max_step:
            wrong = f"{num_frames}, {min_step}, {max_step}"
            message = f"need num_frames >= 1 and 1 <= min_step <= max_step, got {wrong}"
            raise ClipLengthError(message)
        self.num_frames = num_frames
        self.min_step = min_step
        self.max_step = max_step
        self.reverse_probability = reverse_probability

    def __call__(
        self, num_video_frames: int, anchor: int, generator: np.random.Generator, reversible: bool
    ) -> list[int]:
        """Choose T frames.

        Args:
            num_video_frames: Length of the video, at least 1.
            anchor: Index of a frame that the clip contains.
            generator: Source of every random draw.
            reversible: Whether the clip may be played backwards.

        Returns:
            T frame indices; a video that is too short for a step gets neighbouring frames.
        """
        backwards = generator.random() < self.reverse_probability
        if num_video_frames < self.num_frames:
            chosen = sorted(_every_frame(num_video_frames, self.num_frames, generator))
        else:
            step = int(generator.integers(self.min_step, self.max_step + 1))
            places = self._places_of_anchor(num_video_frames, anchor, step)
            while not places:  # too long a clip for this video; neighbouring frames always fit
                step -= 1
                places = self._places_of_anchor(num_video_frames, anchor, step)
            start = anchor - step * int(generator.choice(places))
            chosen = [start + step * place for place in range(self.num_frames)]
        return chosen[::-1] if reversible and backwards else chosen

    def _places_of_anchor(self, num_video_frames: int, anchor: int, step: int) -> list[int]:
        """Where in the clip the anchor can stand without a frame outside of the video."""
        last = step * (self.num_frames - 1)
        return [
            place
            for place in range(self.num_frames)
            if 0 <= anchor - step * place <= num_video_frames - 1 - last
        ]


class WholeVideoSampler:
    """Every frame of the video, in order; for evaluation.

    >>> WholeVideoSampler()(4, 0, np.random.default_rng(0), reversible=True)
    [0, 1, 2, 3]
    """

    def __call__(
        self, num_video_frames: int, anchor: int, generator: np.random.Generator, reversible: bool
    ) -> list[int]:
        """List every frame.

        Args:
            num_video_frames: Length of the video.
            anchor: Ignored.
            generator: Unused.
            reversible: Ignored.

        Returns:
            The indices 0 to ``num_video_frames`` - 1.
        """
        del anchor, generator, reversible
        return list(range(num_video_frames))


def _draw(pool: list[int], count: int, generator: np.random.Generator) -> list[int]:
    drawn = generator.choice(pool, size=count, replace=count > len(pool))
    return [int(index) for index in drawn]


def _every_frame(
    num_video_frames: int, num_frames: int, generator: np.random.Generator
) -> list[int]:
    """A short video: every frame equally often, the remainder at random."""
    rounds, remainder = divmod(num_frames, num_video_frames)
    frames = list(range(num_video_frames))
    return frames * rounds + _draw(frames, remainder, generator)
