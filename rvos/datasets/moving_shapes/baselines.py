"""Figures that stand beside every score: what needs no understanding of the expression."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool

STRIDE = 4


def stride_oracle(
    masks: Bool[np.ndarray, "t h w"], stride: int = STRIDE
) -> Bool[np.ndarray, "t h w"]:
    """The best masks that a model with outputs at a stride can give.

    Args:
        masks: Ground truth ``[T, H, W]``.
        stride: Pixels of the frame per pixel of the model's masks.

    Returns:
        Masks ``[T, H, W]``, averaged down, scaled up bilinearly and cut at one half.

    Example:
        >>> square = np.zeros((1, 16, 16), dtype=bool)
        >>> square[:, 4:12, 4:12] = True
        >>> bool((stride_oracle(square) == square).mean() > 0.95)
        True
    """
    height, width = masks.shape[1:]
    coarse = (-(-width // stride), -(-height // stride))
    restored = np.zeros_like(masks)
    for index, mask in enumerate(masks.astype(np.float32)):
        small = cv2.resize(mask, coarse, interpolation=cv2.INTER_AREA)
        restored[index] = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
    return restored


def largest_object(
    tracks: Bool[np.ndarray, "n t h w"],
) -> Bool[np.ndarray, "t h w"]:
    """Masks of the object that covers most pixels of the video.

    Args:
        tracks: Masks of all objects ``[N, T, H, W]``, N at least 1.

    Returns:
        Masks ``[T, H, W]`` of one object; of equal ones the first.

    Example:
        >>> tracks = np.zeros((2, 1, 2, 2), dtype=bool)
        >>> tracks[1, 0, 0] = True
        >>> int(largest_object(tracks).sum())
        2
    """
    largest: int = tracks.sum(axis=(1, 2, 3)).argmax().item()
    return np.asarray(tracks[largest])


def shuffled_partners(video_ids: Sequence[str], seed: int = 0) -> list[int]:
    """Pair every sample with a sample of another video, whose expression it is then given.

    A model that looks for objects but does not understand scores as well with the wrong expressions
    as with the right ones.

    Args:
        video_ids: Video of every sample.
        seed: Seed of the pairing.

    Returns:
        Index of the partner of every sample, a permutation. Its video differs from the sample's
        unless one video has more than half of all samples.

    Example:
        >>> shuffled_partners(["a", "a", "b", "b"])[:2] in ([2, 3], [3, 2])
        True
    """
    rng = np.random.default_rng(seed)
    samples = np.arange(len(video_ids))
    videos = sorted(set(video_ids))
    place = dict(zip(videos, rng.permutation(len(videos)).tolist(), strict=True))
    # samples of a video stand together, so a shift by the largest video leaves every video
    order = sorted(rng.permutation(samples).tolist(), key=lambda index: place[video_ids[index]])
    shift = max((list(video_ids).count(video) for video in videos), default=0)
    partners = [0] * len(order)
    for position, sample in enumerate(order):
        partners[sample] = order[(position + shift) % len(order)]
    return partners
