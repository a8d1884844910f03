from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from rvos.losses.geometry import geometry_losses
from rvos.losses.matcher import Convention
from rvos.losses.predictions import LayerMasks, SupervisedLayer
from rvos.losses.targets import stack_targets
from rvos.ops.assignment import Assignment
from rvos.structures import ClipTargets

NAMES = {"loss_bbox", "loss_giou", "loss_mask", "loss_dice", "loss_proj"}


@pytest.fixture
def layer(make_targets: Callable[..., ClipTargets]) -> SupervisedLayer:
    """Two clips with two tracks; queries 1 and 3 predict them without an error."""
    valid = torch.ones(2, 3, 32, 48, dtype=torch.bool)
    clips = [make_targets(2, [True, True], seed) for seed in (0, 1)]
    targets = stack_targets(clips, valid, "referred")
    boxes = torch.full((2, 3, 4, 4), 0.5)
    boxes[:, :, 1::2] = targets.boxes_cxcywh.transpose(1, 2)
    masks = torch.zeros(2, 3, 4, 8, 12)
    masks[:, :, 1::2] = targets.masks.transpose(1, 2) * 40.0 - 20.0
    return SupervisedLayer(
        "", torch.zeros(2, 3, 4), boxes, boxes, LayerMasks.computed(masks), targets
    )


@pytest.fixture
def assignment() -> Assignment:
    """Every track with the query that predicts it."""
    batch, rows = torch.tensor([0, 0, 1, 1]), torch.tensor([1, 3, 1, 3])
    return Assignment(batch, rows, torch.tensor([0, 1, 0, 1]))


def matched_logits(layer: SupervisedLayer, assignment: Assignment) -> Tensor:
    every: Tensor = layer.masks.part(slice(None), slice(None)).unflatten(0, (2, 3))
    return every[assignment.batch, :, assignment.rows]


def losses(
    layer: SupervisedLayer, assignment: Assignment, convention: Convention = "repaired"
) -> dict[str, Tensor]:
    return geometry_losses(
        layer, assignment, matched_logits(layer, assignment), torch.tensor(8.0), convention
    )


def test_right_predictions_cost_nothing(layer: SupervisedLayer, assignment: Assignment) -> None:
    terms = losses(layer, assignment)
    assert terms.keys() == NAMES
    assert all(value.abs() < 1e-3 for value in terms.values())


def test_every_term_sees_wrong_predictions(layer: SupervisedLayer, assignment: Assignment) -> None:
    swapped = replace(assignment, rows=torch.tensor([0, 2, 0, 2]))
    assert all(value > 0.01 for value in losses(layer, swapped).values())


def test_order_of_the_pairs_does_not_count(layer: SupervisedLayer, assignment: Assignment) -> None:
    wrong = replace(assignment, rows=torch.tensor([0, 1, 2, 3]))
    order = torch.tensor([2, 0, 3, 1])
    other = Assignment(wrong.batch[order], wrong.rows[order], wrong.columns[order])
    torch.testing.assert_close(losses(layer, wrong), losses(layer, other))


def test_boxes_of_absent_objects_count_by_the_released_convention_only(
    layer: SupervisedLayer, assignment: Assignment
) -> None:
    absent = ~layer.targets.present.transpose(1, 2)
    assert absent.any()
    moved = layer.boxes_cxcywh.clone()
    moved[:, :, 1::2][absent] += 0.25
    other = replace(layer, boxes_cxcywh=moved)
    torch.testing.assert_close(losses(layer, assignment), losses(other, assignment))
    before, after = (losses(item, assignment, "released") for item in (layer, other))
    # Four coordinates, 0.25 each, divided by the number of pairs.
    torch.testing.assert_close(after["loss_bbox"] - before["loss_bbox"], absent.sum() / 8.0)


def test_terms_are_divided_by_the_pairs_and_masks_scaled(
    layer: SupervisedLayer, assignment: Assignment
) -> None:
    wrong = replace(assignment, rows=torch.tensor([0, 2, 0, 2]))
    expected = losses(layer, wrong)
    scaled, logits = replace(layer, mask_scale=2.0), matched_logits(layer, wrong)
    halved = geometry_losses(scaled, wrong, logits, torch.tensor(16.0), "repaired")
    for name, value in expected.items():
        factor = 0.5 if name in {"loss_bbox", "loss_giou"} else 1.0
        torch.testing.assert_close(halved[name], value * factor)
