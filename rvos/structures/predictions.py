"""What a task predicts for one expression of one video."""

from dataclasses import dataclass

from jaxtyping import Bool
from torch import Tensor


@dataclass
class VideoPrediction:
    """Masks of one expression at the video's own size.

    Attributes:
        sample_id: Id of the sample in its dataset.
        video_id: Name of the video.
        expression: The expression.
        frame_ids: Names of the T frames.
        score: How well the selected track fits, mean over frames, in [0, 1].
        masks: ``[T, H, W]``, True on the objects.
    """

    sample_id: str
    video_id: str
    expression: str
    frame_ids: list[str]
    score: float
    masks: Bool[Tensor, "t h w"]
