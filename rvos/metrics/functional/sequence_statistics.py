"""Mean, recall and decay of a score over the frames of a sequence (Perazzi et al., CVPR 2016)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

_RECALL_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class SequenceStatistics:
    """What DAVIS reports of J or F of one object.

    Attributes:
        mean: Over the frames.
        recall: Share of frames above 0.5.
        decay: Mean of the first quarter of the frames minus that of the last; 0 is best.
    """

    mean: float
    recall: float
    decay: float


def sequence_statistics(values: Float64[np.ndarray, " t"]) -> SequenceStatistics:
    """Summarise a score over the frames (Perazzi et al., CVPR 2016, section 5.1).

    Neighbouring quarters share a frame. The released tool keeps their limits in 8 bits, which makes
    the decay of more than 255 frames wrong or NaN; here it is right for any number.

    Args:
        values: ``[T]``, in the order of the frames; NaN where a frame does not count.

    Returns:
        The statistics.

    Raises:
        ValueError: Without a frame.

    >>> sequence_statistics(np.array([1.0, 0.75, 0.75, 0.5]))  # quarters 1, 0.75 and 0.75, 0.5
    SequenceStatistics(mean=0.75, recall=0.75, decay=0.25)
    """
    if len(values) == 0:
        message = "Expected the scores of at least one frame, but got none"
        raise ValueError(message)
    limits = np.round(np.linspace(1, len(values), 5) + 1e-10).astype(np.int64) - 1
    first, last = values[: limits[1] + 1], values[limits[3] :]
    return SequenceStatistics(
        mean=float(np.nanmean(values)),
        recall=float(np.mean(values > _RECALL_THRESHOLD)),
        decay=float(np.nanmean(first) - np.nanmean(last)),
    )
