"""Assignment of target tracks to query tracks."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from rvos.losses.boxes import box_giou_cost, box_l1_cost
from rvos.losses.classification import focal_class_cost
from rvos.losses.mask_costs import mask_costs
from rvos.losses.predictions import SupervisedLayer
from rvos.losses.weights import LossWeights
from rvos.ops.assignment import Assignment, assign

Convention = Literal["released", "repaired"]


class HungarianMatcher:
    """Assigns each target track to the query track of least cost, one query per target.

    A clip-level version of DETR's bipartite matching (Carion et al. 2020, section 3.1). With one
    target it is the arg-min over queries of the released code.

    Args:
        weights: Weights of the costs.

    >>> HungarianMatcher(LossWeights(ce=2.0)).weights.ce
    2.0
    """

    def __init__(self, weights: LossWeights | None = None) -> None:
        self.weights = weights or LossWeights()

    @torch.no_grad()
    def __call__(
        self, layers: Sequence[SupervisedLayer], convention: Convention = "repaired"
    ) -> list[Assignment]:
        """Match all layers of all clips with one transfer to the host.

        Args:
            layers: Predictions with their targets.
            convention: See ``SetCriterion``.

        Returns:
            One assignment per layer; rows are queries, columns are targets.

        Raises:
            NonFiniteCostError: If a prediction is NaN or infinite.
        """
        costs = [self.costs(layer, convention) for layer in layers]
        return assign(costs, [layer.targets.matchable for layer in layers])

    @torch.no_grad()
    def costs(
        self, layer: SupervisedLayer, convention: Convention = "repaired"
    ) -> Float[Tensor, "b q n"]:
        """Weighted cost of every query track and target track.

        The class cost is averaged over the frames in which the target is present. It is zero for
        targets that the expression does not refer to: they are found by box and mask alone.

        Args:
            layer: Predictions with their targets.
            convention: ``released`` averages box costs over all frames and takes padded pixels for
                undecided ones; ``repaired`` counts frames with the target and image pixels only.

        Returns:
            ``[B, Q, N]``.
        """
        targets, weights = layer.targets, self.weights
        present = targets.present
        class_cost = focal_class_cost(layer.logits).transpose(1, 2)
        class_cost = class_cost @ present.transpose(1, 2).to(class_cost.dtype)
        class_cost = class_cost / present.sum(dim=-1).clamp(min=1)[:, None]
        released = convention == "released"
        frames = torch.ones_like(present) if released else present
        boxes = (layer.matching_boxes_cxcywh, targets.boxes_cxcywh, frames)
        pixels = mask_costs(
            layer.masks,
            layer.logits.shape[2],
            targets.masks,
            targets.valid_pixels,
            "neutral" if released else "excluded",
        )
        return (
            weights.ce * class_cost * targets.referred[:, None]
            + weights.bbox * box_l1_cost(*boxes)
            + weights.giou * box_giou_cost(*boxes)
            + weights.mask * pixels.focal
            + weights.dice * pixels.dice
            + weights.proj * pixels.projection
        )
