"""What every decoder layer and the encoder proposals say: the outputs that training needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor

from rvos.models.grounding_dino.grounder import Grounding
from rvos.models.grounding_dino.proposals import Proposals, text_similarity, word_similarity
from rvos.models.grounding_dino.text_encoder import ExpressionFeatures
from rvos.models.mask_heads.base import MaskHead, MaskQueries
from rvos.models.referdino.pixel_decoder import crop_to_stride4
from rvos.models.referdino.stages import FrameStages, per_clip
from rvos.models.referdino.temporal_enhancer import Tracks
from rvos.structures import (
    AuxiliarySegmentationOutput,
    ImageFeatures,
    LayerPredictions,
    MaskSource,
    ProposalOutput,
    SegmentationOutput,
    TrainingOutput,
)


class TrainingStages(FrameStages):
    """Runs the heads on every decoder layer and on the proposals."""

    def _training_output(
        self,
        image: ImageFeatures,
        expressions: ExpressionFeatures,
        num_frames: int,
        frame_size: tuple[int, int],
    ) -> TrainingOutput:
        """Ground, track and enhance every layer, and prepare its masks."""
        ground: Grounding = self.grounder(image, expressions)
        proposals, words = ground.proposals, ground.fused.text
        tracks = [
            self._enhance(queries, words, expressions, num_frames) for queries in ground.layers
        ]
        word_scores = [word_similarity(each.features.flatten(0, 1), words) for each in tracks]
        ranks = Tracks(
            per_clip(proposals.features, num_frames),
            per_clip(proposals.initial_boxes_cxcywh, num_frames),
        )
        return TrainingOutput(
            layers=[
                self._predictions(each, scores)
                for each, scores in zip(tracks, word_scores, strict=True)
            ],
            proposals=LayerPredictions(
                per_clip(text_similarity(proposals.features, words)[..., None], num_frames),
                per_clip(proposals.boxes_cxcywh, num_frames),
            ),
            proposal_boxes=ranks.reference_boxes_cxcywh,
            masks=self._defer_masks([*tracks, ranks], ground, image, frame_size),
            query_word_logits=[per_clip(scores, num_frames) for scores in word_scores],
            word_logits=per_clip(_usable_word_logits(proposals), num_frames),
            level_shapes=image.level_shapes,
        )

    def _predictions(self, tracks: Tracks, word_scores: Tensor) -> LayerPredictions:
        """Classes and boxes of tracks, given their score ``[N, Q, L]`` for every word."""
        boxes = self.grounder.query_decoder.refined_boxes(
            tracks.features, tracks.reference_boxes_cxcywh
        )
        logits = per_clip(word_scores.amax(-1), tracks.features.shape[1]).unsqueeze(-1)
        return LayerPredictions(logits, boxes)

    def _defer_masks(
        self,
        tracks: Sequence[Tracks],
        ground: Grounding,
        image: ImageFeatures,
        frame_size: tuple[int, int],
    ) -> "_CroppedMasks":
        mask_features = self._mask_features(ground.fused.memory, image)
        features = [each.features.flatten(0, 1) for each in tracks]
        boxes = [each.reference_boxes_cxcywh.flatten(0, 1) for each in tracks]
        positions = self.grounder.query_decoder.query_positions(
            torch.cat(boxes, 1), mask_features.valid_ratios_xy.repeat(1, 2)
        ).split([each.shape[1] for each in boxes], 1)
        groups = [MaskQueries(*each) for each in zip(features, boxes, positions, strict=True)]
        head = cast("MaskHead", self.mask_head)
        masks = head.defer(groups, mask_features, ground.fused.text)
        return _CroppedMasks(masks, *frame_size)


@dataclass
class _CroppedMasks:
    """Masks of padded frames, cut to the frames.

    Attributes:
        source: Masks at stride 4 of the padded frames.
        height: Rows of the frame before the backbone's padding.
        width: Columns of the frame before the backbone's padding.
    """

    source: MaskSource
    height: int
    width: int

    def part(
        self, layer: int, frames: slice, queries: slice
    ) -> Float[Tensor, "some_frames some_queries h w"]:
        """Compute the mask logits of some queries in some frames, without gradient."""
        return crop_to_stride4(self.source.part(layer, frames, queries), self.height, self.width)

    def of_queries(self, queries: Sequence[Int[Tensor, "n _k"]]) -> list[Float[Tensor, "n _k h w"]]:
        """Compute mask logits with gradient."""
        masks = self.source.of_queries(queries)
        return [crop_to_stride4(each, self.height, self.width) for each in masks]


def _usable_word_logits(proposals: Proposals) -> Tensor:
    """Score of every encoder token for every word, minus infinity where a token is not usable."""
    return proposals.word_logits.masked_fill(~proposals.token_usable.unsqueeze(-1), float("-inf"))


def with_all_masks(output: TrainingOutput) -> AuxiliarySegmentationOutput:
    """Compute the masks of all queries.

    Args:
        output: With masks of whom is asked for.
    """
    everything = [*output.layers, output.proposals]
    shapes = [each.logits.shape[:3] for each in everything]
    all_queries = [
        torch.arange(num_queries, device=output.proposal_boxes.device).expand(clips * frames, -1)
        for clips, frames, num_queries in shapes
    ]
    num_frames = shapes[0][1]
    outputs = [
        SegmentationOutput(each.logits, each.boxes_cxcywh, per_clip(masks, num_frames))
        for each, masks in zip(everything, output.masks.of_queries(all_queries), strict=True)
    ]
    last, proposals = outputs[-2], outputs[-1]
    return AuxiliarySegmentationOutput(
        pred_logits=last.pred_logits,
        pred_boxes=last.pred_boxes,
        pred_masks=last.pred_masks,
        aux_outputs=outputs[:-2],
        proposal_output=ProposalOutput(
            proposals.pred_logits,
            proposals.pred_boxes,
            proposals.pred_masks,
            proposal_boxes=output.proposal_boxes,
        ),
        query_word_logits=output.query_word_logits,
        word_logits=output.word_logits,
        level_shapes=output.level_shapes,
    )
