"""What the criterion supervises: the last layer, earlier layers and encoder proposals alike."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rvos.losses.targets import StackedTargets
from rvos.structures import AuxiliarySegmentationOutput, ProposalOutput, SegmentationOutput


@dataclass
class SupervisedLayer:
    """Predictions of one layer and the targets that they are compared with.

    Attributes:
        suffix: What the layer's loss terms end in: ``""``, ``_0``, ``_1``, ..., ``_proposal``.
        logits: ``[B, T, Q]``.
        boxes_cxcywh: ``[B, T, Q, 4]``.
        matching_boxes_cxcywh: ``[B, T, Q, 4]`` boxes that the matcher looks at.
        masks: ``[B, T, Q, h, w]`` logits.
        targets: Targets of the B clips.
        mask_scale: Factor of the mask terms.
    """

    suffix: str
    logits: Float[Tensor, "b t q"]
    boxes_cxcywh: Float[Tensor, "b t q 4"]
    matching_boxes_cxcywh: Float[Tensor, "b t q 4"]
    masks: Float[Tensor, "b t q h w"]
    targets: StackedTargets
    mask_scale: float | Float[Tensor, ""] = 1.0


def supervised_layers(
    output: SegmentationOutput, targets: StackedTargets, proposals_per_frame: bool
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
    layers = [_layer("", output, targets)]
    if not isinstance(output, AuxiliarySegmentationOutput):
        return layers
    layers += [
        _layer(f"_{index}", earlier, targets) for index, earlier in enumerate(output.aux_outputs)
    ]
    proposals = _layer("_proposal", output.proposal_output, targets)
    return [*layers, _frame_by_frame(proposals) if proposals_per_frame else proposals]


def _layer(suffix: str, output: SegmentationOutput, targets: StackedTargets) -> SupervisedLayer:
    """Take one output in at least single precision; masks stay as they are until gathered."""
    boxes = _at_least_float32(output.pred_boxes)
    matching_boxes = boxes
    if isinstance(output, ProposalOutput):
        matching_boxes = _at_least_float32(output.proposal_boxes)
    return SupervisedLayer(
        suffix=suffix,
        logits=_at_least_float32(output.pred_logits[..., 0]),
        boxes_cxcywh=boxes,
        matching_boxes_cxcywh=matching_boxes,
        masks=output.pred_masks,
        targets=targets,
    )


def _frame_by_frame(layer: SupervisedLayer) -> SupervisedLayer:
    """Make every frame a clip of one frame."""
    num_annotated = layer.targets.annotated.sum(dim=1).float().mean()
    return SupervisedLayer(
        suffix=layer.suffix,
        logits=layer.logits.flatten(0, 1)[:, None],
        boxes_cxcywh=layer.boxes_cxcywh.flatten(0, 1)[:, None],
        matching_boxes_cxcywh=layer.matching_boxes_cxcywh.flatten(0, 1)[:, None],
        masks=layer.masks.flatten(0, 1)[:, None],
        targets=layer.targets.per_frame(),
        mask_scale=layer.mask_scale / num_annotated,
    )


def _at_least_float32(tensor: Float[Tensor, "*s"]) -> Float[Tensor, "*s"]:
    """Widen half precision."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
