"""What a task predicts for one expression of one video."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor


@dataclass
class TrackPredictions:
    """All tracks of one expression, as small as the model returns them.

    Attributes:
        scores: ``[Q]``, how well each fits, mean over frames, in [0, 1].
        boxes_cxcywh: ``[T, Q, 4]`` in [0, 1] of the frame.
        mask_logits: ``[T, Q, H, W]`` at stride 4, without padding.
        input_size: (height, width) of the frames that the model saw.
        original_size: (height, width) of the video.
    """

    scores: Float[Tensor, " q"]
    boxes_cxcywh: Float[Tensor, "t q 4"]
    mask_logits: Float[Tensor, "t q h w"]
    input_size: tuple[int, int]
    original_size: tuple[int, int]


@dataclass
class VideoPrediction:
    """Masks of one expression at the video's own size.

    Attributes:
        sample_id: Id of the sample in its dataset.
        video_id: Name of the video.
        expression: The expression.
        frame_ids: Names of the T frames.
        score: How well the selected track fits, mean over frames, in [0, 1]; that of the best track
            where none was selected.
        masks: ``[T, H, W]``, True on the objects; nowhere if none was selected.
        tracks: What the masks were selected from; None where nobody asked for it.
    """

    sample_id: str
    video_id: str
    expression: str
    frame_ids: list[str]
    score: float
    masks: Bool[Tensor, "t h w"]
    tracks: TrackPredictions | None = None
