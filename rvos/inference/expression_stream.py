"""One expression on its way through a stream of frames."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from rvos.inference.frame_buffer import FrameBuffer
from rvos.inference.results import FrameMask
from rvos.inference.segmenter import Segmenter
from rvos.inference.selection import (
    MaskStretch,
    TopOne,
    TrackSelection,
    resize_mask_logits,
    union_of_masks,
)
from rvos.inference.window_plan import Window
from rvos.models.referdino.frame_parts import (
    EnhancedQueries,
    FramePixels,
    FrameQueries,
    GroundedFrames,
    join_pixels,
    join_queries,
)
from rvos.ops.boxes import box_cxcywh_to_xyxy
from rvos.ops.mask_bits import masks_to_host
from rvos.structures import ImageFeatures, TextTokens

if TYPE_CHECKING:
    from rvos.models.referdino.track_memory import TrackMemory


@dataclass(frozen=True)
class AnswerRules:
    """How tracks become masks.

    Attributes:
        selection: Which tracks an expression refers to.
        presence_threshold: Score from which a frame counts as showing the object, in [0, 1].
        mask_stretch: How the model's small masks are enlarged; see ``resize_mask_logits``.
    """

    selection: TrackSelection
    presence_threshold: float = 0.5
    mask_stretch: MaskStretch = "released"


@dataclass
class WindowAnswer:
    """What a window says about one expression, before masks are made.

    Attributes:
        window: The frames.
        queries: Enhanced, of the frames that are answered.
        chosen: ``[N]`` tracks that the expression refers to.
        scores: ``[T]`` of the answered frames.
        boxes_xyxy: ``[T, 4]`` of the answered frames, in [0, 1].
    """

    window: Window
    queries: FrameQueries
    chosen: Int[Tensor, " n"]
    scores: Float[Tensor, " t"]
    boxes_xyxy: Float[Tensor, "t 4"]


class ExpressionStream:
    """All that is remembered of one expression: its tracks, and the frames still needed.

    Args:
        model: Runs the stages.
        expression: As it was asked for.
        tokens: The same for the model.
        rules: How tracks become masks.

    Attributes:
        score_sum: Scores ``[Q]`` of the answered frames, added up; None before the first answer.
    """

    def __init__(
        self, model: Segmenter, expression: str, tokens: TextTokens, rules: AnswerRules
    ) -> None:
        self.model = model
        self.expression = expression
        self.rules = rules
        self.queries: FrameBuffer[FrameQueries] = FrameBuffer(join_queries)
        self.pixels: FrameBuffer[FramePixels] = FrameBuffer(join_pixels)
        self._features = model.encode_expression(tokens)
        self._memory: TrackMemory | None = None
        self.score_sum: Float[Tensor, " q"] | None = None

    def ground(self, image: ImageFeatures) -> GroundedFrames:
        """Ground the expression in frames; remembers nothing, so that it can be tried again.

        Args:
            image: The next frames.
        """
        return self.model.ground_frames(image, self._features)

    def add(self, grounded: GroundedFrames) -> None:
        """Continue the tracks and keep what later stages read.

        Args:
            grounded: The next frames.
        """
        aligned = self.model.align_queries(grounded.queries, self._memory)
        self._memory = aligned.memory
        self.queries.append(aligned.queries)
        self.pixels.append(grounded.pixels)

    def answer(self, window: Window) -> WindowAnswer:
        """Look along time and choose tracks.

        Args:
            window: Which frames.
        """
        enhanced = self.model.enhance_queries(
            self.queries.read(window.start, window.stop), self._features
        )
        chosen = self._choose(enhanced, window)
        rows = slice(window.first - window.start, window.last - window.start)
        logits = enhanced.pred_logits.float()
        # Where nothing was chosen, scores and boxes are those of the track that came closest.
        told = chosen if len(chosen) else TopOne()(logits)
        boxes = box_cxcywh_to_xyxy(enhanced.pred_boxes[rows][:, told].float())
        return WindowAnswer(
            window,
            enhanced.queries.select(rows.start, rows.stop),
            chosen,
            scores=logits[rows][:, told, 0].sigmoid().amax(dim=1).cpu(),
            boxes_xyxy=_hull(boxes).clamp(0, 1).cpu(),
        )

    def frame_masks(
        self,
        answer: WindowAnswer,
        frames: range,
        input_size: tuple[int, int],
        original_size: tuple[int, int],
    ) -> list[FrameMask]:
        """Make the masks of some of the answered frames.

        Only the chosen tracks are enlarged; what leaves the device are bits.

        Args:
            answer: From :meth:`answer`.
            frames: Numbers of adjacent frames.
            input_size: (height, width) of the frames that the model saw.
            original_size: (height, width) of the video.
        """
        start, stop = frames.start - answer.window.first, frames.stop - answer.window.first
        pixels = self.pixels.read(frames.start, frames.stop)
        logits = self.model.decode_masks(answer.queries.select(start, stop), pixels, input_size)
        logits = logits[:, answer.chosen].transpose(0, 1).float()
        not_empty = (logits > 0).flatten(2).any(dim=2).any(dim=0)
        masks = masks_to_host(self._enlarge(logits, input_size, original_size))
        height, width = original_size
        scores, boxes = answer.scores[start:stop], answer.boxes_xyxy[start:stop]
        boxes = boxes * torch.tensor([width, height, width, height])
        present = (scores >= self.rules.presence_threshold) & not_empty.cpu()
        return [
            FrameMask(self.expression, mask, (box[0], box[1], box[2], box[3]), score, here)
            for mask, box, score, here in zip(
                masks, boxes.tolist(), scores.tolist(), present.tolist(), strict=True
            )
        ]

    def forget(self, queries_before: int, pixels_before: int) -> None:
        """Drop frames that nobody will look at.

        Args:
            queries_before: First frame whose queries are still needed.
            pixels_before: First frame whose masks are still to be made.
        """
        self.queries.forget(queries_before)
        self.pixels.forget(pixels_before)

    def _enlarge(
        self,
        logits: Float[Tensor, "n t h w"],
        input_size: tuple[int, int],
        original_size: tuple[int, int],
    ) -> Bool[Tensor, "t oh ow"]:
        stretch = self.rules.mask_stretch
        return union_of_masks(resize_mask_logits(logits, input_size, original_size, stretch))

    def _choose(self, enhanced: EnhancedQueries, window: Window) -> Int[Tensor, " n"]:
        """Choose by the mean score of every frame so far, those without an answer as seen now."""
        logits = enhanced.pred_logits
        scores = logits[:, :, 0].float().sigmoid()
        rows = window.first - window.start, window.last - window.start
        before, answered = self.score_sum, scores[rows[0] : rows[1]].sum(dim=0)
        self.score_sum = answered if before is None else before + answered
        if before is None:
            return self.rules.selection(logits)
        mean = (before + scores[rows[0] :].sum(dim=0)) / window.stop
        return self.rules.selection(torch.logit(mean)[None, :, None])


def _hull(boxes_xyxy: Float[Tensor, "t n 4"]) -> Float[Tensor, "t 4"]:
    """Box around the boxes of several tracks."""
    return torch.cat([boxes_xyxy[..., :2].amin(dim=1), boxes_xyxy[..., 2:].amax(dim=1)], dim=-1)
