"""What every data set of videos takes beside its folder."""

from collections.abc import Sequence
from typing import TypedDict

from rvos.datasets.clip_sampler import FrameSampler
from rvos.datasets.referring_video import TargetChoice
from rvos.transforms.video import ClipTransform


class ClipOptions(TypedDict, total=False):
    """The keyword arguments that a benchmark's class hands on as they are.

    :class:`rvos.datasets.referring_video.ReferringVideoDataset` explains them and has their
    defaults.

    >>> ClipOptions(max_videos=2)
    {'max_videos': 2}
    """

    sampler: FrameSampler | None
    sampling_step: int | None
    transform: ClipTransform | None
    targets: TargetChoice
    kinds: Sequence[str] | None
    max_videos: int | None
    random_anchors: bool | None
    seed: int
