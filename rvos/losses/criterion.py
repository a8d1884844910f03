"""The training objective of ReferDINO."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from rvos.losses.classification import sigmoid_focal_loss
from rvos.losses.duplicates import found_targets
from rvos.losses.geometry import geometry_losses
from rvos.losses.matched_masks import matched_masks
from rvos.losses.matcher import Convention, HungarianMatcher
from rvos.losses.normaliser import mean_over_ranks
from rvos.losses.predictions import SupervisedLayer, supervised_layers
from rvos.losses.proposals import TokenScoreLoss
from rvos.losses.targets import TargetTracks, stack_targets
from rvos.losses.weights import LossWeights
from rvos.ops.assignment import Assignment
from rvos.structures import (
    AuxiliarySegmentationOutput,
    ClipTargets,
    SegmentationOutput,
    TrainingOutput,
)
from rvos.structures.errors import RvosError


class TargetCountError(RvosError):
    """The released convention met a clip that does not have exactly one referred target."""


@dataclass
class CriterionOutput:
    """Losses of one batch.

    Attributes:
        total: Weighted sum of all terms; the value to minimise.
        terms: Unweighted terms: ``loss_ce``, ``loss_bbox``, ``loss_giou``, ``loss_mask``,
            ``loss_dice``, ``loss_proj`` of the last layer, the same with ``_0``, ``_1``, ... for
            earlier decoder layers and ``_proposal`` for encoder proposals; ``loss_token`` where
            encoder tokens are supervised.
        weights: Weight of each term in the total.
    """

    total: Float[Tensor, ""]
    terms: dict[str, Float[Tensor, ""]]
    weights: dict[str, float]


class SetCriterion(nn.Module):
    """Matches predictions with targets and sums the losses of every layer.

    Conventions: ``released`` computes what the released code does, for one target per clip: padding
    takes part in matcher and projection loss, a frame without the target pulls the matched box to
    (0, 0, 0, 0), and one proposal rank is matched for all frames. ``repaired`` leaves padding and
    boxes of such frames out and matches proposals frame by frame.

    Frames that are not annotated take part in no term. Box and mask terms are divided by the number
    of (target, frame) pairs with a visible target over all ranks, the class term by those of
    referred targets.

    Args:
        matcher: Assigns targets to queries.
        weights: Weights of the terms, the same for every layer.
        convention: ``released`` or ``repaired``.
        target_tracks: ``union`` merges the referred objects of a clip into one target; ``referred``
            makes each a target; ``all`` also matches the other objects for boxes and masks while
            their queries stay negative for the class.
        token_loss: Supervision of the encoder tokens' scores; None for none.
        token_weight: Weight of that term.
        proposal_class_scale: Factor on the class weight of the proposals. The set loss calls all
            but one proposal of an object negative, the token loss calls all of them positive; 0
            leaves the proposals' scores to the token loss.
        duplicate_iou: Smallest IoU from which a query that is not matched takes the class of the
            target that it lies on; None leaves all but the matched ones negative, as published.

    >>> SetCriterion(HungarianMatcher(), convention="repaired", target_tracks="all").convention
    'repaired'
    """

    def __init__(
        self,
        matcher: HungarianMatcher | None = None,
        weights: LossWeights | None = None,
        convention: Convention = "repaired",
        target_tracks: TargetTracks = "union",
        token_loss: TokenScoreLoss | None = None,
        token_weight: float = 1.0,
        proposal_class_scale: float = 1.0,
        duplicate_iou: float | None = None,
    ) -> None:
        super().__init__()
        self.weights = weights or LossWeights()
        self.matcher = matcher or HungarianMatcher(self.weights)
        self.convention = convention
        self.target_tracks = target_tracks
        self.token_loss = token_loss
        self.token_weight = token_weight
        self.proposal_class_scale = proposal_class_scale
        self.duplicate_iou = duplicate_iou

    def forward(
        self,
        output: SegmentationOutput | TrainingOutput,
        targets: Sequence[ClipTargets],
        valid_pixels: Bool[Tensor, "b t h w"],
    ) -> CriterionOutput:
        """Compute all losses, in single precision at least.

        Args:
            output: Predictions of B clips, with or without auxiliary ones.
            targets: B clips, masks padded to H, W.
            valid_pixels: ``[B, T, H, W]``, True on image.

        Returns:
            The losses; a batch without any target only trains the scores down.

        Raises:
            TargetCountError: If ``released`` meets a clip without exactly one referred target, or
                with frames that are not annotated.
            NonFiniteCostError: If a prediction is NaN or infinite.
        """
        released = self.convention == "released"
        if released:
            _check_every_frame_annotated(targets)
        with torch.autocast(valid_pixels.device.type, enabled=False):
            stacked = stack_targets(targets, valid_pixels, self.target_tracks, keep_absent=released)
            layers = supervised_layers(output, stacked, proposals_per_frame=not released)
            visible = stacked.present & stacked.matchable[..., None]
            # All that ranks do together comes first: the matcher may fail on one of them.
            num_pairs, num_referred = mean_over_ranks(
                torch.stack([visible.sum(), (visible & stacked.referred[..., None]).sum()])
            )
            token_terms = self._token_terms(output, targets)
            assignments = self.matcher(layers, self.convention)
            if released:
                _check_one_target(layers[0], assignments[0])
            terms: dict[str, Tensor] = {}
            masks = matched_masks(layers, assignments)
            for layer, assignment, logits in zip(layers, assignments, masks, strict=True):
                class_loss = self._class_loss(layer, assignment, num_referred)
                terms[f"loss_ce{layer.suffix}"] = class_loss
                geometry = geometry_losses(layer, assignment, logits, num_pairs, self.convention)
                terms |= {f"{name}{layer.suffix}": loss for name, loss in geometry.items()}
            term_weights = {name: getattr(self.weights, name.split("_")[1]) for name in terms}
            if "loss_ce_proposal" in term_weights:
                term_weights["loss_ce_proposal"] *= self.proposal_class_scale
            terms |= token_terms
            term_weights |= dict.fromkeys(token_terms, self.token_weight)
            weighted = [term_weights[name] * term for name, term in terms.items()]
            return CriterionOutput(torch.stack(weighted).sum(), terms, term_weights)

    def _token_terms(
        self, output: SegmentationOutput | TrainingOutput, targets: Sequence[ClipTargets]
    ) -> dict[str, Tensor]:
        """Loss of the encoder tokens' scores, where it is wanted and the output has them."""
        if self.token_loss is None or not isinstance(
            output, (AuxiliarySegmentationOutput, TrainingOutput)
        ):
            return {}
        return {"loss_token": self.token_loss(output.word_logits, output.level_shapes, targets)}

    def _class_loss(
        self,
        layer: SupervisedLayer,
        assignment: Assignment,
        num_referred: Float[Tensor, ""],
    ) -> Float[Tensor, ""]:
        """Focal loss of one layer's scores."""
        targets, item = layer.targets, assignment.batch
        pair = (item, assignment.columns)
        referred = targets.present[pair] & targets.referred[pair][:, None]
        classes = torch.zeros_like(layer.logits)
        if self.duplicate_iou is not None:
            found = found_targets(layer.boxes_cxcywh, targets, self.duplicate_iou)
            wanted = targets.referred[:, None].expand(-1, found.shape[1], -1)
            on_wanted = wanted.gather(2, found.clamp(min=0)) & (found >= 0)
            classes = on_wanted.to(classes.dtype)
        classes[item, :, assignment.rows] = referred.to(classes.dtype)
        class_loss = sigmoid_focal_loss(layer.logits, classes)
        summed: Tensor = (class_loss * targets.annotated[..., None]).sum()
        return summed / num_referred


def _check_every_frame_annotated(targets: Sequence[ClipTargets]) -> None:
    """Raise for windows around an annotated frame; shapes tell, so nothing is transferred."""
    if any(clip.annotated is not None and len(clip.annotated) > 1 for clip in targets):
        message = (
            "The released loss convention supervises every frame, and these clips have context "
            "frames without annotation. Use convention='repaired', or clips of one frame."
        )
        raise TargetCountError(message)


def _check_one_target(layer: SupervisedLayer, assignment: Assignment) -> None:
    """Raise unless every clip has exactly one target; shapes tell, so nothing is transferred."""
    num_clips, num_tracks = layer.targets.matchable.shape
    if num_tracks > 1 or len(assignment.batch) != num_clips:
        message = (
            "The released loss convention needs exactly one referred target per clip. Use "
            "convention='repaired' for expressions without or with several targets, or "
            "target_tracks='union' to merge several into one."
        )
        raise TargetCountError(message)
