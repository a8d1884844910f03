"""What the models return."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from rvos.structures.mask_source import MaskSource


@dataclass
class SegmentationOutput:
    """Predictions for every object query; query q is one track through all frames.

    Attributes:
        pred_logits: ``[B, T, Q, 1]``, how well the query fits the expression.
        pred_boxes: ``[B, T, Q, 4]`` cxcywh in [0, 1] of the unpadded frame.
        pred_masks: ``[B, T, Q, ceil(H/4), ceil(W/4)]`` logits over the padded frame.
    """

    pred_logits: Float[Tensor, "b t q 1"]
    pred_boxes: Float[Tensor, "b t q 4"]
    pred_masks: Float[Tensor, "b t q h w"]


@dataclass
class ProposalOutput(SegmentationOutput):
    """Predictions of the encoder proposals; query q is rank q of each frame, not a track.

    Attributes:
        pred_logits: ``[B, T, Q, 1]``.
        pred_boxes: ``[B, T, Q, 4]`` cxcywh, refined.
        pred_masks: ``[B, T, Q, h, w]`` logits.
        proposal_boxes: ``[B, T, Q, 4]`` cxcywh before refinement; used for matching only.
    """

    proposal_boxes: Float[Tensor, "b t q 4"]


@dataclass
class AuxiliarySegmentationOutput(SegmentationOutput):
    """The last layer's predictions and those of everything before it.

    Attributes:
        pred_logits: ``[B, T, Q, 1]`` of the last decoder layer.
        pred_boxes: ``[B, T, Q, 4]`` cxcywh of the last decoder layer.
        pred_masks: ``[B, T, Q, h, w]`` logits of the last decoder layer.
        aux_outputs: One output per earlier decoder layer, first layer first; Q differs.
        proposal_output: The encoder proposals.
        query_word_logits: ``[B, T, Q, L]`` per decoder layer, first layer first and the last one
            included: score of every query for every text token, minus infinity on padding.
        word_logits: ``[B, T, S, L]``, score of every encoder token for every text token, levels
            concatenated; the token's own score is the largest. Padding of the text and invalid
            tokens (padding, border) hold minus infinity.
        level_shapes: (height, width) of each level, in the order of ``word_logits``.
    """

    aux_outputs: list[SegmentationOutput]
    proposal_output: ProposalOutput
    query_word_logits: list[Float[Tensor, "b t _q l"]]
    word_logits: Float[Tensor, "b t s l"]
    level_shapes: list[tuple[int, int]]


@dataclass
class LayerPredictions:
    """Classes and boxes of one layer's queries.

    Attributes:
        logits: ``[B, T, Q, 1]``.
        boxes_cxcywh: ``[B, T, Q, 4]`` in [0, 1] of the unpadded frame.
    """

    logits: Float[Tensor, "b t q 1"]
    boxes_cxcywh: Float[Tensor, "b t q 4"]


@dataclass
class TrainingOutput:
    """What :class:`AuxiliarySegmentationOutput` says, with masks only of who is asked for.

    Attributes:
        layers: Decoder layers, first layer first and the last one included; Q differs.
        proposals: The encoder proposals; query q is rank q of each frame, not a track.
        proposal_boxes: ``[B, T, Q, 4]`` cxcywh before refinement; used for matching only.
        masks: Masks of the B*T frames: those of the layers, then those of the proposals.
        query_word_logits: ``[B, T, Q, L]`` per layer, as of ``AuxiliarySegmentationOutput``.
        word_logits: ``[B, T, S, L]``, as of ``AuxiliarySegmentationOutput``.
        level_shapes: As of ``AuxiliarySegmentationOutput``.
    """

    layers: list[LayerPredictions]
    proposals: LayerPredictions
    proposal_boxes: Float[Tensor, "b t q 4"]
    masks: MaskSource
    query_word_logits: list[Float[Tensor, "b t _q l"]]
    word_logits: Float[Tensor, "b t s l"]
    level_shapes: list[tuple[int, int]]
