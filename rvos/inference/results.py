"""What segmenting a video gives."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass
class FrameMask:
    """One expression's objects in one frame.

    Attributes:
        expression: As it was asked for.
        mask: ``[H, W]`` at the size of the video, True on the objects.
        box_xyxy: In pixels of the video, around all the objects, or where the rule chose none
            around what came closest.
        score: How sure the model is, in [0, 1].
        present: Whether the score reaches the threshold and the mask is not empty.

    >>> mask, box = torch.ones(1, 2).bool(), (0.0, 0.0, 2.0, 1.0)
    >>> FrameMask("a dog", mask, box, score=0.1, present=False).visible_mask
    tensor([[False, False]])
    """

    expression: str
    mask: Bool[Tensor, "h w"]
    box_xyxy: tuple[float, float, float, float]
    score: float
    present: bool

    @property
    def visible_mask(self) -> Bool[Tensor, "h w"]:
        """``mask``, or nothing where the object was not found."""
        return self.mask if self.present else torch.zeros_like(self.mask)


@dataclass
class FrameSegmentation:
    """What a stream answers about one frame.

    Attributes:
        index: Position in the video, from 0.
        frame_id: Name of the frame: the file's stem in a folder, else the index as five digits.
        timestamp: Seconds.
        objects: One per expression, in their order.
    """

    index: int
    frame_id: str
    timestamp: float
    objects: list[FrameMask]


@dataclass
class ExpressionRecord:
    """Scores and boxes of one expression, frame by frame: what stays of a long video.

    Attributes:
        expression: As it was asked for.
        scores: One per frame, in [0, 1].
        boxes_xyxy: One per frame, in pixels of the video.
        present: One per frame, whether the object was found.

    >>> record = ExpressionRecord("a dog")
    >>> mask, box = torch.ones(1, 2).bool(), (0.0, 0.0, 2.0, 1.0)
    >>> record.add(FrameMask("a dog", mask, box, score=0.75, present=True))
    >>> record.scores, record.mean_score
    ([0.75], 0.75)
    """

    expression: str
    scores: list[float] = field(default_factory=list)
    boxes_xyxy: list[tuple[float, float, float, float]] = field(default_factory=list)
    present: list[bool] = field(default_factory=list)

    @property
    def mean_score(self) -> float:
        """Mean over the frames; 0 without any."""
        return sum(self.scores) / max(1, len(self.scores))

    def add(self, found: FrameMask) -> None:
        """Note the next frame.

        Args:
            found: In this frame.
        """
        self.scores.append(found.score)
        self.boxes_xyxy.append(found.box_xyxy)
        self.present.append(found.present)


@dataclass
class SegmentationResult:
    """One expression's objects in a video.

    Attributes:
        expression: As it was asked for.
        masks: ``[T, H, W]`` at the size of the video, True on the objects.
        boxes_xyxy: ``[T, 4]`` in pixels of the video, around all the objects, or where the rule
            chose none around what came closest.
        scores: ``[T]``, how sure the model is in each frame, in [0, 1].
        present: ``[T]``, True where the score reaches the threshold and the mask is not empty.
        frame_ids: T names: the file's stem in a folder, else the index as five digits.
        timestamps: T times in seconds.

    >>> masks, present = torch.ones(2, 3, 4).bool(), torch.tensor([True, False])
    >>> boxes, scores = torch.zeros(2, 4), torch.tensor([0.9, 0.1])
    >>> result = SegmentationResult("a dog", masks, boxes, scores, present, ["0", "1"], [0.0, 0.1])
    >>> result.visible_masks.flatten(1).any(1).tolist()
    [True, False]
    """

    expression: str
    masks: Bool[Tensor, "t h w"]
    boxes_xyxy: Float[Tensor, "t 4"]
    scores: Float[Tensor, " t"]
    present: Bool[Tensor, " t"]
    frame_ids: list[str]
    timestamps: list[float]

    @property
    def visible_masks(self) -> Bool[Tensor, "t h w"]:
        """``masks`` without those of the frames where the object was not found."""
        return self.masks & self.present[:, None, None]


def gather_results(frames: Iterable[FrameSegmentation]) -> list[SegmentationResult]:
    """Put the frames of a video together.

    Args:
        frames: At least one, in order.

    Returns:
        One result per expression.
    """
    answered = list(frames)
    frame_ids = [frame.frame_id for frame in answered]
    timestamps = [frame.timestamp for frame in answered]
    results = []
    for found in zip(*(frame.objects for frame in answered), strict=True):
        results.append(
            SegmentationResult(
                found[0].expression,
                torch.stack([one.mask for one in found]),
                torch.tensor([one.box_xyxy for one in found], dtype=torch.float32),
                torch.tensor([one.score for one in found], dtype=torch.float32),
                torch.tensor([one.present for one in found]),
                frame_ids,
                timestamps,
            )
        )
    return results
