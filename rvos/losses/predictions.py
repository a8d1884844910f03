"""What the criterion supervises: the last layer, earlier layers and encoder proposals alike."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from rvos.losses.targets import StackedTargets
from rvos.ops.precision import at_least_float32
from rvos.structures import (
    AuxiliarySegmentationOutput,
    ComputedMasks,
    LayerPredictions,
    MaskSource,
    SegmentationOutput,
    TrainingOutput,
)


@dataclass
class LayerMasks:
    """The masks of one layer's queries.

    Attributes:
        source: Masks of all layers.
        position: Of this layer among them.

    >>> import torch
    >>> masks = LayerMasks.computed(torch.zeros(2, 3, 5, 4, 4))
    >>> masks.part(slice(4, 6), slice(None)).shape
    torch.Size([2, 5, 4, 4])
    """

    source: MaskSource
    position: int

    @classmethod
    def computed(cls, logits: Float[Tensor, "b t q h w"]) -> "LayerMasks":
        """Wrap masks of one layer that are there already.

        Args:
            logits: ``[B, T, Q, H, W]``.
        """
        return cls(ComputedMasks([logits.flatten(0, 1)]), 0)

    def part(self, frames: slice, queries: slice) -> Float[Tensor, "f q h w"]:
        """Compute the logits of some queries in some frames, without gradient.

        Args:
            frames: Of the B*T frames.
            queries: Of the layer's queries.

        Returns:
            ``[F, Q, H, W]``.
        """
        return self.source.part(self.position, frames, queries)


@dataclass
class SupervisedLayer:
    """Predictions of one layer and the targets that they are compared with.

    Attributes:
        suffix: What the layer's loss terms end in: ``""``, ``_0``, ``_1``, ..., ``_proposal``.
        logits: ``[B, T, Q]``.
        boxes_cxcywh: ``[B, T, Q, 4]``.
        matching_boxes_cxcywh: ``[B, T, Q, 4]`` boxes that the matcher looks at.
        masks: Of the Q queries in the B*T frames.
        targets: Targets of the B clips.
        mask_scale: Factor of the mask terms.
    """

    suffix: str
    logits: Float[Tensor, "b t q"]
    boxes_cxcywh: Float[Tensor, "b t q 4"]
    matching_boxes_cxcywh: Float[Tensor, "b t q 4"]
    masks: LayerMasks
    targets: StackedTargets
    mask_scale: float | Float[Tensor, ""] = 1.0


def supervised_layers(
    output: SegmentationOutput | TrainingOutput,
    targets: StackedTargets,
    proposals_per_frame: bool,
) -> list[SupervisedLayer]:
    """List the last layer, the earlier layers and the proposals of an output.

    Args:
        output: Predictions; auxiliary ones are listed where there are any.
        targets: Targets of the clips.
        proposals_per_frame: Compare proposals frame by frame, because proposal q is rank q of each
            frame and no track. Their mask terms are divided by T then, or by the number of
            annotated frames: those of a track are normalised by its frames, and so one set of
            weights serves both.

    Returns:
        Layers, the last one first.

    >>> import torch
    >>> from rvos.losses.targets import stack_targets
    >>> from rvos.structures import ClipTargets
    >>> output = SegmentationOutput(
    ...     torch.zeros(1, 2, 5, 1), torch.zeros(1, 2, 5, 4), torch.zeros(1, 2, 5, 2, 2))
    >>> no = torch.zeros(1, 2, 8, 8, dtype=torch.bool)
    >>> clip = ClipTargets(torch.zeros(1, 2, 4), no[None, 0], no[:, :, 0, 0], no[:, 0, 0, 0])
    >>> targets = stack_targets([clip], ~no, "all")
    >>> [layer.suffix for layer in supervised_layers(output, targets, True)]
    ['']
    """
    if not isinstance(output, TrainingOutput):
        if not isinstance(output, AuxiliarySegmentationOutput):
            last = LayerPredictions(output.pred_logits, output.pred_boxes)
            return [_layer("", last, LayerMasks.computed(output.pred_masks), targets)]
        output = _with_computed_masks(output)
    last_position = len(output.layers) - 1
    masks = [LayerMasks(output.masks, position) for position in range(last_position + 2)]
    layers = [_layer("", output.layers[last_position], masks[last_position], targets)]
    layers += [
        _layer(f"_{index}", earlier, masks[index], targets)
        for index, earlier in enumerate(output.layers[:-1])
    ]
    proposals = _layer("_proposal", output.proposals, masks[-1], targets)
    proposals.matching_boxes_cxcywh = at_least_float32(output.proposal_boxes)
    return [*layers, _frame_by_frame(proposals) if proposals_per_frame else proposals]


def _with_computed_masks(output: AuxiliarySegmentationOutput) -> TrainingOutput:
    """See masks that are there as masks that somebody may ask for."""
    decoded = [*output.aux_outputs, output]
    everything = [*decoded, output.proposal_output]
    return TrainingOutput(
        layers=[LayerPredictions(layer.pred_logits, layer.pred_boxes) for layer in decoded],
        proposals=LayerPredictions(
            output.proposal_output.pred_logits, output.proposal_output.pred_boxes
        ),
        proposal_boxes=output.proposal_output.proposal_boxes,
        masks=ComputedMasks([layer.pred_masks.flatten(0, 1) for layer in everything]),
        query_word_logits=output.query_word_logits,
        word_logits=output.word_logits,
        level_shapes=output.level_shapes,
    )


def _layer(
    suffix: str, predictions: LayerPredictions, masks: LayerMasks, targets: StackedTargets
) -> SupervisedLayer:
    """Take one output in at least single precision; masks stay as they are until asked for."""
    boxes = at_least_float32(predictions.boxes_cxcywh)
    return SupervisedLayer(
        suffix=suffix,
        logits=at_least_float32(predictions.logits[..., 0]),
        boxes_cxcywh=boxes,
        matching_boxes_cxcywh=boxes,
        masks=masks,
        targets=targets,
    )


def _frame_by_frame(layer: SupervisedLayer) -> SupervisedLayer:
    """Make every frame a clip of one frame; masks know no clips."""
    num_annotated = layer.targets.annotated.sum(dim=1).float().mean()
    return SupervisedLayer(
        suffix=layer.suffix,
        logits=layer.logits.flatten(0, 1)[:, None],
        boxes_cxcywh=layer.boxes_cxcywh.flatten(0, 1)[:, None],
        matching_boxes_cxcywh=layer.matching_boxes_cxcywh.flatten(0, 1)[:, None],
        masks=layer.masks,
        targets=layer.targets.per_frame(),
        mask_scale=layer.mask_scale / num_annotated,
    )
