"""ReferDINO's stages one by one, so that a video can pass them in parts."""

from jaxtyping import Float
from torch import Tensor, nn

from rvos.layers.described import DescribedModule
from rvos.models.grounding_dino import Grounder
from rvos.models.grounding_dino.image_encoder import valid_ratio_xy
from rvos.models.grounding_dino.proposals import text_similarity
from rvos.models.grounding_dino.text_encoder import ExpressionFeatures
from rvos.models.mask_heads.base import MaskFeatures, MaskQueries
from rvos.models.referdino.frame_parts import (
    AlignedQueries,
    EnhancedQueries,
    FramePixels,
    FrameQueries,
    GroundedFrames,
)
from rvos.models.referdino.pixel_decoder import FPNPixelDecoder, crop_to_stride4
from rvos.models.referdino.temporal_enhancer import (
    ObjectConsistentTemporalEnhancer,
    Tracks,
    as_tracks,
)
from rvos.models.referdino.track_memory import TrackMemory
from rvos.structures import (
    DecodedQueries,
    ImageFeatures,
    ReferenceText,
    SegmentationOutput,
    TextTokens,
)


class FrameStages(DescribedModule):
    """Ground, align, enhance, decode masks: the parts that a model makes whole.

    ``ReferDINO`` runs them on whole clips. A session that reads frames one after the other runs
    :meth:`ground_frames` and :meth:`align_queries` once per frame, and the other two whenever it
    has seen enough to answer.
    """

    grounder: Grounder
    temporal_enhancer: ObjectConsistentTemporalEnhancer | None
    pixel_decoder: FPNPixelDecoder
    mask_head: nn.Module
    enhance_single_frames: bool

    def encode_expression(self, tokens: TextTokens) -> ExpressionFeatures:
        """Encode one expression, before any frame.

        Args:
            tokens: Of one expression.
        """
        features: ExpressionFeatures = self.grounder.text_encoder(tokens)
        return features

    def ground_frames(self, image: ImageFeatures, expression: ExpressionFeatures) -> GroundedFrames:
        """Ground one expression in frames, each by itself.

        Args:
            image: N frames.
            expression: One expression.

        Returns:
            All that the later stages read of these frames, much smaller than their features.
        """
        ground = self.grounder(image, expression.repeat_frames(image.tokens.shape[0]))
        last = ground.layers[-1]
        return GroundedFrames(
            FrameQueries(last.features, last.reference_boxes_cxcywh, ground.fused.text),
            FramePixels(self.pixel_decoder.refine(ground.fused.memory, image), image.stage0_valid),
        )

    def align_queries(
        self, queries: FrameQueries, memory: TrackMemory | None = None
    ) -> AlignedQueries:
        """Put the queries of N frames in the order of the tracks that they continue.

        Args:
            queries: Each frame in its own order.
            memory: From the frames before; None where these are the first.
        """
        if self.temporal_enhancer is None:
            return AlignedQueries(queries, None)
        aligned = self.temporal_enhancer.align(
            _one_clip(queries), queries.text, None if memory is None else [memory]
        )
        tracks = aligned.tracks
        return AlignedQueries(
            FrameQueries(tracks.features[0], tracks.reference_boxes_cxcywh[0], queries.text),
            None if aligned.memories is None else aligned.memories[0],
        )

    def enhance_queries(
        self, queries: FrameQueries, expression: ExpressionFeatures
    ) -> EnhancedQueries:
        """Let the tracks of N frames look along time, score them and place their boxes.

        Args:
            queries: Aligned, of adjacent frames.
            expression: What they were grounded with.
        """
        tracks, text = _one_clip(queries), queries.text
        num_frames = queries.features.shape[0]
        if self._is_enhanced(num_frames) and self.temporal_enhancer is not None:
            unfused = expression.repeat_frames(num_frames).unfused
            source = unfused if self.temporal_enhancer.reads_unfused_text else text
            tracks = self.temporal_enhancer.enhance(tracks, source)
        boxes = self.grounder.query_decoder.refined_boxes(
            tracks.features, tracks.reference_boxes_cxcywh
        )
        features = tracks.features[0]
        return EnhancedQueries(
            FrameQueries(features, queries.reference_boxes_cxcywh, text),
            pred_logits=text_similarity(features, text).unsqueeze(-1),
            pred_boxes=boxes[0],
        )

    def decode_masks(
        self, queries: FrameQueries, pixels: FramePixels, frame_size: tuple[int, int]
    ) -> Float[Tensor, "n q h w"]:
        """Segment the tracks in N frames, each by itself.

        Args:
            queries: Enhanced.
            pixels: Of the same frames.
            frame_size: (height, width) of the frames.

        Returns:
            Logits ``[N, Q, H, W]`` at stride 4.
        """
        mask_features = MaskFeatures(
            self.pixel_decoder.output(pixels.features), pixels.valid, valid_ratio_xy(pixels.valid)
        )
        return self._segment(_one_clip(queries), mask_features, queries.text, frame_size)

    def _enhance(
        self,
        queries: DecodedQueries,
        text: ReferenceText,
        expressions: ExpressionFeatures,
        num_frames: int,
    ) -> Tracks:
        if self.temporal_enhancer is None or not self._is_enhanced(num_frames):
            return as_tracks(queries, num_frames)
        tracks: Tracks = self.temporal_enhancer(queries, text, num_frames, expressions.unfused)
        return tracks

    def _is_enhanced(self, num_frames: int) -> bool:
        return num_frames > 1 or self.enhance_single_frames

    def _mask_features(self, memory: Tensor, image: ImageFeatures) -> MaskFeatures:
        features = self.pixel_decoder(memory, image)
        ratios = valid_ratio_xy(image.stage0_valid)
        return MaskFeatures(features, image.stage0_valid, ratios)

    def _segment(
        self,
        tracks: Tracks,
        mask_features: MaskFeatures,
        text: ReferenceText,
        frame_size: tuple[int, int],
    ) -> Tensor:
        """Mask logits ``[N, Q, ceil(H/4), ceil(W/4)]`` of the frames' queries."""
        boxes = tracks.reference_boxes_cxcywh.flatten(0, 1)
        ratios = mask_features.valid_ratios_xy.repeat(1, 2)
        positions = self.grounder.query_decoder.query_positions(boxes, ratios)
        queries = MaskQueries(tracks.features.flatten(0, 1), boxes, positions)
        return crop_to_stride4(self.mask_head(queries, mask_features, text), *frame_size)

    def _output(self, tracks: Tracks, logits: Tensor, masks: Tensor) -> SegmentationOutput:
        """Class logits ``[N, Q]`` and masks of N frames as clips; boxes relative to references."""
        num_frames = tracks.features.shape[1]
        boxes = self.grounder.query_decoder.refined_boxes(
            tracks.features, tracks.reference_boxes_cxcywh
        )
        classes = per_clip(logits, num_frames).unsqueeze(-1)
        return SegmentationOutput(classes, boxes, per_clip(masks, num_frames))


def per_clip(values: Float[Tensor, "n ..."], num_frames: int) -> Float[Tensor, "b t ..."]:
    """Give frames ``[N, ...]`` their clip axis: ``[B, T, ...]``.

    Args:
        values: Of B*T frames.
        num_frames: T.
    """
    return values.unflatten(0, (-1, num_frames))


def _one_clip(queries: FrameQueries) -> Tracks:
    """View N frames as one clip."""
    return Tracks(queries.features.unsqueeze(0), queries.reference_boxes_cxcywh.unsqueeze(0))
