"""Scores on MovingShapes, with the figures that have to stand beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rvos.datasets.moving_shapes.baselines import (
    largest_object,
    shuffled_partners,
    stride_oracle,
)
from rvos.datasets.referring_video import ReferringVideoDataset
from rvos.inference.selection import TrackSelection, resize_mask_logits, union_of_masks
from rvos.metrics import JAndF, JAndFResult
from rvos.structures import ImageFeatures, SegmentationOutput, TextTokens, VideoSample
from rvos.visualization.progress_bar import with_bar

# A kind counts as learned if its J&F is this much above the one with shuffled expressions.
LEARNED_MARGIN = 0.25


@runtime_checkable
class ExpressionSegmenter(Protocol):
    """What is scored: a model whose image part several expressions share."""

    def tokenize(self, text: list[str]) -> TextTokens:
        """Tokenise expressions."""

    def encode_frames(self, frames: Float[Tensor, "b t 3 h w"]) -> list[ImageFeatures]:
        """Compute what no expression changes."""

    def segment_features(
        self, image: list[ImageFeatures], tokens: TextTokens, frame_size: tuple[int, int]
    ) -> SegmentationOutput:
        """Segment encoded frames."""


@dataclass
class HeldOutScores:
    """A model's scores and those that need no understanding of the expression.

    Attributes:
        model: Scores per selection rule, by its name.
        shuffled: The same with every expression replaced by one of another video.
        oracle: Ground truth at stride 4 and back: the best that masks of that size can reach.
        largest: The object that covers most pixels of the video, whatever the expression.
    """

    model: dict[str, JAndFResult]
    shuffled: dict[str, JAndFResult]
    oracle: JAndFResult
    largest: JAndFResult

    def columns(self, selection: str) -> dict[str, JAndFResult]:
        """Baselines by column title, for ``score_rows``.

        Args:
            selection: Name of the selection rule.

        Returns:
            The oracle, the shuffled scores where they were measured, the largest object.
        """
        shuffled = {"shuffled": self.shuffled[selection]} if selection in self.shuffled else {}
        return {"oracle": self.oracle, **shuffled, "largest": self.largest}

    def is_learned(self, kind: str, selection: str) -> bool | None:
        """Whether a kind was understood: its J&F beats the shuffled figure by 25 points.

        Args:
            kind: Expression kind.
            selection: Name of the selection rule.

        Returns:
            The verdict; None where the shuffled figure was not measured.

        Example:
            >>> from rvos.metrics import JAndFScores
            >>> def scored(j_and_f: float) -> JAndFResult:
            ...     scores = JAndFScores(*torch.tensor([j_and_f] * 2).double(), 9)
            ...     return JAndFResult(scores, {"motion": scores})
            >>> scores = HeldOutScores(
            ...     {"top1": scored(0.7)}, {"top1": scored(0.4)}, scored(1.0), scored(0.2)
            ... )
            >>> scores.is_learned("motion", "top1")
            True
        """
        if selection not in self.shuffled:
            return None
        reached = self.model[selection].per_kind[kind].j_and_f
        guessed = self.shuffled[selection].per_kind[kind].j_and_f
        return bool(reached - guessed >= LEARNED_MARGIN)


@torch.inference_mode()
def score_held_out(
    model: ExpressionSegmenter,
    samples: ReferringVideoDataset,
    selections: Mapping[str, TrackSelection],
    shuffle: bool = True,
    show_progress: bool = False,
    device: str | torch.device = "cpu",
) -> HeldOutScores:
    """Segment every expression of a MovingShapes split and score it.

    Args:
        model: In evaluation mode.
        samples: Whole videos with targets ``all_tracks``; the expressions of a video adjacent.
        selections: Selection rules by name; all are scored on the same outputs.
        shuffle: Also segment every video with an expression of another one.
        show_progress: Draw a bar with the time left on stderr.
        device: Where the model is.

    Returns:
        Scores, overall and per expression kind.
    """
    metrics = {name: JAndF() for name in selections}
    shuffled = {name: JAndF() for name in selections} if shuffle else {}
    oracle, largest = JAndF(), JAndF()
    partners = _partner_expressions(samples) if shuffle else []
    image: list[ImageFeatures] = []
    encoded_video = ""
    for index in with_bar(range(len(samples)), "scoring", "expression", show_progress):
        sample = samples[index]
        if sample.video_id != encoded_video:
            image = model.encode_frames(sample.frames.unsqueeze(0).to(device))
            encoded_video = sample.video_id
        tracks = sample.targets.masks
        target = tracks[sample.targets.referred].any(dim=0)
        ids, kinds = [sample.sample_id], [sample.expression_kind]
        for text, scores in ((sample.expression, metrics), _shuffled(partners, index, shuffled)):
            if not scores:
                continue
            masks = _segment(model, image, text, sample, selections)
            for name, metric in scores.items():
                metric.update([masks[name]], [target], ids, kinds)
        oracle.update([torch.from_numpy(stride_oracle(target.numpy()))], [target], ids, kinds)
        guess = torch.from_numpy(largest_object(tracks.numpy()))
        largest.update([guess], [target], ids, kinds)
    return HeldOutScores(
        {name: metric.compute() for name, metric in metrics.items()},
        {name: metric.compute() for name, metric in shuffled.items()},
        oracle.compute(),
        largest.compute(),
    )


def _partner_expressions(samples: ReferringVideoDataset) -> list[str]:
    read = [samples.expression(index) for index in range(len(samples))]
    partners = shuffled_partners([video_id for video_id, _ in read])
    return [read[partner][1] for partner in partners]


def _shuffled(
    partners: Sequence[str], index: int, metrics: dict[str, JAndF]
) -> tuple[str, dict[str, JAndF]]:
    return (partners[index] if metrics else "", metrics)


def _segment(
    model: ExpressionSegmenter,
    image: list[ImageFeatures],
    expression: str,
    sample: VideoSample,
    selections: Mapping[str, TrackSelection],
) -> dict[str, Bool[Tensor, "t h w"]]:
    """Masks of one expression under every selection rule."""
    height, width = sample.frames.shape[-2:]
    output = model.segment_features(image, model.tokenize([expression]), (height, width))
    logits = output.pred_logits[0].float()
    masks = {}
    for name, selection in selections.items():
        chosen = output.pred_masks[0, :, selection(logits)].float().cpu()
        full = resize_mask_logits(chosen, (height, width), sample.original_size)
        masks[name] = union_of_masks(full.transpose(0, 1))
    return masks
