"""Neighbouring frames around an annotated one."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from rvos.datasets.errors import ClipLengthError


class WindowSampler:
    """Consecutive frames with the anchor in the middle; beyond an end the end is repeated.

    For benchmarks that annotate single frames (A2D-Sentences, JHMDB-Sentences). Nothing is random.
    The anchor stands at position ``num_frames // 2``.

    Args:
        num_frames: Length of the clip, T.

    >>> sampler, generator = WindowSampler(5), np.random.default_rng(0)
    >>> sampler(9, 4, generator, reversible=False), sampler(9, 0, generator, reversible=False)
    ([2, 3, 4, 5, 6], [0, 0, 0, 1, 2])
    """

    def __init__(self, num_frames: int) -> None:
        if num_frames < 1:
            message = f"need num_frames >= 1, got {num_frames}"
            raise ClipLengthError(message)
        self.num_frames = num_frames

    def __call__(
        self, num_video_frames: int, anchor: int, generator: np.random.Generator, reversible: bool
    ) -> list[int]:
        """List the window.

        Args:
            num_video_frames: Length of the video, at least 1.
            anchor: Index of the annotated frame.
            generator: Unused.
            reversible: Ignored.

        Returns:
            T frame indices.
        """
        del generator, reversible
        first = anchor - self.num_frames // 2
        last = num_video_frames - 1
        return [min(max(index, 0), last) for index in range(first, first + self.num_frames)]


def mark_anchor(frame_indices: Sequence[int], anchor: int) -> Bool[Tensor, " t"]:
    """Mark the anchor in a clip: once, in the middle, also where an end of the video repeats it.

    Args:
        frame_indices: T frame indices, the anchor among them.
        anchor: Index of the annotated frame.

    Returns:
        ``[T]``, True at one position.

    >>> mark_anchor([0, 0, 0, 1, 2], 0).tolist()
    [False, False, True, False, False]
    """
    middle = len(frame_indices) // 2
    places = [place for place, index in enumerate(frame_indices) if index == anchor]
    marked = torch.zeros(len(frame_indices), dtype=torch.bool)
    marked[min(places, key=lambda place: abs(place - middle))] = True
    return marked
