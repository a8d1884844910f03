"""What segmenting a video with one expression gives."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rvos.inference.selection import MaskStretch, resize_mask_logits, union_of_masks


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


@dataclass
class ExpressionTracks:
    """The tracks that an expression refers to, their masks still small.

    Masks at the size of a long video take gigabytes; these are enlarged frame by frame.

    Attributes:
        expression: As it was asked for.
        mask_logits: ``[N, T, H, W]`` of the N tracks, at stride 4 of the model's input.
        boxes_xyxy: ``[T, 4]`` in pixels of the video, around all N tracks; for N = 0 around the
            track that came closest.
        scores: ``[T]`` of the surest track in each frame, in [0, 1]; for N = 0 as the boxes.
        present: ``[T]``, True where the score reaches the threshold and a mask is not empty.
        input_size: (height, width) of the frames that the model saw.
        original_size: (height, width) of the video.
        stretch: How masks are enlarged.

    >>> tracks = ExpressionTracks(
    ...     "a dog", torch.ones(1, 2, 4, 6), torch.zeros(2, 4), torch.ones(2),
    ...     torch.ones(2).bool(), (16, 24), (32, 48), "released",
    ... )
    >>> tracks.mask(0).shape
    torch.Size([32, 48])
    """

    expression: str
    mask_logits: Float[Tensor, "n t h w"]
    boxes_xyxy: Float[Tensor, "t 4"]
    scores: Float[Tensor, " t"]
    present: Bool[Tensor, " t"]
    input_size: tuple[int, int]
    original_size: tuple[int, int]
    stretch: MaskStretch

    def mask(self, index: int) -> Bool[Tensor, "oh ow"]:
        """Enlarge the mask of one frame.

        Args:
            index: Position of the frame.

        Returns:
            ``[OH, OW]`` at the size of the video, True on the objects.
        """
        logits = resize_mask_logits(
            self.mask_logits[:, index], self.input_size, self.original_size, self.stretch
        )
        return union_of_masks(logits)

    def enlarge(self, frame_ids: list[str], timestamps: list[float]) -> SegmentationResult:
        """Enlarge the masks of all frames.

        Args:
            frame_ids: T names.
            timestamps: T times in seconds.

        Returns:
            The result at the size of the video.
        """
        masks = torch.stack([self.mask(index) for index in range(len(self.scores))])
        return SegmentationResult(
            self.expression,
            masks,
            self.boxes_xyxy,
            self.scores,
            self.present,
            frame_ids,
            timestamps,
        )
