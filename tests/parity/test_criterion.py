"""The released criterion and matcher on the golden predictions of case C, read complete.

`tests/losses` holds the values of all terms on data copied into the repository.
"""

from typing import Any

import pytest
import torch
from torch import Tensor

from rvos.losses import HungarianMatcher, LossWeights, SetCriterion
from rvos.losses.predictions import LayerMasks, SupervisedLayer
from rvos.losses.targets import stack_targets
from rvos.ops.assignment import Assignment
from rvos.structures import ClipTargets, SegmentationOutput

pytestmark = pytest.mark.parity

WEIGHTS = LossWeights(2.0, 1.0, 1.0, 5.0, 5.0, 2.0)
TERMS = ("loss_ce", "loss_bbox", "loss_giou", "loss_mask", "loss_dice", "loss_proj")
LAYERS = ("final", "aux0", "aux1", "aux2", "aux3", "aux4", "interm")


@pytest.fixture(scope="module")
def targets(case_c: dict[str, Tensor]) -> list[ClipTargets]:
    clips = []
    for index in range(2):
        masks = torch.zeros(1, 3, 224, 352, dtype=torch.bool)
        height, width = case_c[f"loss.target{index}.size"].tolist()
        masks[0, :, :height, :width] = case_c[f"loss.target{index}.masks"].bool()
        boxes = case_c[f"loss.target{index}.boxes"][None]
        present = case_c[f"loss.target{index}.valid"][None].bool()
        clips.append(ClipTargets(boxes, masks, present, torch.ones(1, dtype=torch.bool)))
    return clips


def stored_masks(case_c: dict[str, Tensor], layer: str) -> tuple[Tensor, Tensor]:
    """Mask logits of the stored queries, and which queries they are, the matched ones among them.

    Only the final masks are stored completely. Of the other layers ten queries are, in half
    precision, and the two matched ones.
    """
    matched, masks = case_c[f"loss.matched.{layer}"], case_c[f"loss.matched_masks.{layer}"]
    if layer == "final":
        return case_c["fwd.pred_masks"], torch.arange(15).expand(2, -1)
    subset = case_c[f"fwd.{layer}.mask_query_subset"]
    others = case_c[f"fwd.{layer}.pred_masks_subset_f16"].float()
    # Where the matched query is one of the ten, its exact masks stand in for the rounded ones.
    queries = torch.cat([subset.expand(2, -1), matched[:, None]], 1)
    found = torch.cat([others, masks[:, :, None]], 2)
    repeated = queries[:, :-1] == matched[:, None]
    for clip, place in repeated.nonzero().tolist():
        found[clip, :, place] = masks[clip]
    return found, queries


def prediction(case_c: dict[str, Tensor], layer: str, name: str) -> Tensor:
    return case_c[f"fwd.{name}" if layer == "final" else f"fwd.{layer}.{name}"]


@pytest.mark.parametrize("layer", LAYERS)
def test_matched_indices(layer: str, case_c: dict[str, Tensor], targets: list[ClipTargets]) -> None:
    masks, queries = stored_masks(case_c, layer)
    name = "proposal_boxes" if layer == "interm" else "pred_boxes"
    stacked = stack_targets(targets, ~case_c["input.pixel_mask_pad"], "union", keep_absent=True)

    def of_the_stored(values: Tensor) -> Tensor:
        return torch.stack([values[clip][:, queries[clip]] for clip in range(2)])

    supervised = SupervisedLayer(
        suffix="",
        logits=of_the_stored(prediction(case_c, layer, "pred_logits"))[..., 0],
        boxes_cxcywh=of_the_stored(prediction(case_c, layer, "pred_boxes")),
        matching_boxes_cxcywh=of_the_stored(prediction(case_c, layer, name)),
        masks=LayerMasks.computed(masks),
        targets=stacked,
    )
    found = HungarianMatcher(WEIGHTS)([supervised], "released")[0]
    assert found.batch.tolist() == [0, 1]
    rows = queries.gather(1, found.rows[:, None])[:, 0]
    assert torch.equal(rows, case_c[f"loss.matched.{layer}"])


@pytest.mark.parametrize("layer", LAYERS)
def test_every_term(
    layer: str, case_c: dict[str, Tensor], targets: list[ClipTargets], deviations: Any
) -> None:
    class StoredMatches(HungarianMatcher):
        def __call__(self, *_: Any) -> list[Assignment]:
            matched = case_c[f"loss.matched.{layer}"]
            return [Assignment(torch.arange(2), matched, torch.zeros(2, dtype=torch.int64))]

    logits = prediction(case_c, layer, "pred_logits")
    # Only the matched masks enter a loss.
    masks = torch.zeros(*logits.shape[:3], 56, 88)
    masks[torch.arange(2), :, case_c[f"loss.matched.{layer}"]] = case_c[
        f"loss.matched_masks.{layer}"
    ]
    output = SegmentationOutput(logits, prediction(case_c, layer, "pred_boxes"), masks)
    criterion = SetCriterion(StoredMatches(), WEIGHTS, convention="released")
    terms = criterion(output, targets, ~case_c["input.pixel_mask_pad"]).terms
    suffix = "" if layer == "final" else f"_{layer.removeprefix('aux')}"
    for name in TERMS:
        values = terms[name], case_c[f"loss.value.{name}{suffix}"]
        ratio = values[0] / values[1], torch.ones(())
        deviations.check(f"C losses (relative), {layer}", name, ratio, 1e-4)
