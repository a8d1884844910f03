from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from rvos.losses import HungarianMatcher, LossWeights
from rvos.losses.predictions import LayerMasks, SupervisedLayer, supervised_layers
from rvos.losses.targets import stack_targets
from rvos.ops.assignment import NonFiniteCostError
from rvos.structures import AuxiliarySegmentationOutput, ClipTargets, SegmentationOutput

LayerMaker = Callable[..., SupervisedLayer]


@pytest.fixture
def make_layer(
    make_output: Callable[..., AuxiliarySegmentationOutput],
    make_targets: Callable[..., ClipTargets],
    valid_pixels: Tensor,
) -> LayerMaker:
    def make(
        num_targets: int, order: list[int] | None = None, query_order: list[int] | None = None
    ) -> SupervisedLayer:
        referred = [index == 0 for index in range(num_targets)]
        clips = [make_targets(num_targets, referred, seed) for seed in range(2)]
        order = order or list(range(num_targets))
        for clip in clips:
            clip.boxes_cxcywh, clip.masks = clip.boxes_cxcywh[order], clip.masks[order]
            clip.present, clip.referred = clip.present[order], clip.referred[order]
        output = make_output(2)
        chosen = query_order or list(range(5))
        shuffled = SegmentationOutput(
            output.pred_logits[:, :, chosen],
            output.pred_boxes[:, :, chosen],
            output.pred_masks[:, :, chosen],
        )
        targets = stack_targets(clips, valid_pixels, "all")
        return supervised_layers(shuffled, targets, proposals_per_frame=False)[0]

    return make


def pairs(layer: SupervisedLayer) -> set[tuple[int, int, int]]:
    found = HungarianMatcher()([layer])[0]
    return set(zip(found.batch.tolist(), found.rows.tolist(), found.columns.tolist(), strict=True))


def test_order_of_targets_and_queries_does_not_matter(make_layer: LayerMaker) -> None:
    order, query_order = [2, 0, 1], [3, 1, 4, 0, 2]
    expected = pairs(make_layer(3))
    assert len(expected) == 6
    by_target = {(b, q, order[n]) for b, q, n in pairs(make_layer(3, order=order))}
    assert by_target == expected
    by_query = {(b, query_order[q], n) for b, q, n in pairs(make_layer(3, query_order=query_order))}
    assert by_query == expected


@pytest.mark.parametrize("convention", ["released", "repaired"])
def test_one_target_takes_the_query_of_least_cost(make_layer: LayerMaker, convention: str) -> None:
    layer = make_layer(1)
    matcher = HungarianMatcher()
    costs = matcher.costs(layer, convention)  # type: ignore[arg-type]
    found = matcher([layer], convention)[0]  # type: ignore[arg-type]
    assert found.rows.tolist() == costs[..., 0].argmin(dim=1).tolist()


def test_only_referred_targets_look_at_the_class(make_layer: LayerMaker) -> None:
    layer = make_layer(2)
    before = HungarianMatcher().costs(layer)
    layer.logits = layer.logits + 1.0
    after = HungarianMatcher().costs(layer)
    assert torch.equal(after[..., 1], before[..., 1])
    assert (after[..., 0] < before[..., 0]).all()


def test_each_weight_scales_its_own_cost(make_layer: LayerMaker) -> None:
    layer = make_layer(2)
    names = ["ce", "bbox", "giou", "mask", "dice", "proj"]
    parts = [
        HungarianMatcher(LossWeights(**(dict.fromkeys(names, 0.0) | {name: 1.0}))).costs(layer)
        for name in names
    ]
    weights = LossWeights(ce=1.0, bbox=2.0, giou=3.0, mask=4.0, dice=5.0, proj=6.0)
    expected = sum(factor * part for factor, part in enumerate(parts, start=1))
    torch.testing.assert_close(HungarianMatcher(weights).costs(layer), expected)


def test_padding_changes_the_released_costs_only(make_layer: LayerMaker) -> None:
    layer = make_layer(2)
    changed = make_layer(2)
    padding = ~changed.targets.valid_pixels[:, :, None]
    masks = layer.masks.part(slice(None), slice(None)).unflatten(0, (2, 3))
    changed.masks = LayerMasks.computed(masks.masked_fill(padding, 30.0))
    matcher = HungarianMatcher()
    torch.testing.assert_close(matcher.costs(changed), matcher.costs(layer))
    cropped = make_layer(2)
    cropped.masks = LayerMasks.computed(masks[..., :7, :10])
    cropped.targets.masks = cropped.targets.masks[..., :7, :10]
    cropped.targets.valid_pixels = cropped.targets.valid_pixels[..., :7, :10]
    torch.testing.assert_close(matcher.costs(cropped)[1], matcher.costs(layer)[1])
    released = [matcher.costs(one, "released")[1] for one in (cropped, layer)]
    assert (released[0] - released[1]).abs().max() > 1e-2


def test_absent_frames_count_in_the_released_box_costs_only(make_layer: LayerMaker) -> None:
    layer, moved = make_layer(1), make_layer(1)
    absent = ~moved.targets.present[:, 0]
    boxes = moved.boxes_cxcywh.masked_fill(absent[:, :, None, None], 0.9)
    moved.boxes_cxcywh = moved.matching_boxes_cxcywh = boxes
    matcher = HungarianMatcher()
    torch.testing.assert_close(matcher.costs(moved), matcher.costs(layer))
    released = [matcher.costs(one, "released") for one in (moved, layer)]
    assert (released[0] - released[1]).abs().min() > 1e-2


def test_a_diverged_prediction_is_named(make_layer: LayerMaker) -> None:
    layer = make_layer(1)
    layer.logits = torch.full_like(layer.logits, torch.nan)
    with pytest.raises(NonFiniteCostError, match="diverged"):
        HungarianMatcher()([layer])


@pytest.mark.parity
def test_released_matches_of_the_last_layer(
    golden: dict[str, Tensor], golden_targets: list[ClipTargets], golden_valid_pixels: Tensor
) -> None:
    output = SegmentationOutput(
        golden["final.pred_logits"], golden["final.pred_boxes"], golden["final.pred_masks"]
    )
    targets = stack_targets(golden_targets, golden_valid_pixels, "union", keep_absent=True)
    layers = supervised_layers(output, targets, proposals_per_frame=False)
    matcher = HungarianMatcher(LossWeights(2.0, 1.0, 1.0, 5.0, 5.0, 2.0))
    found = matcher(layers, "released")[0]
    assert found.rows.tolist() == golden["final.matched_query"].tolist()


@pytest.mark.parity
def test_released_matches_of_proposals_beat_the_other_stored_queries(
    golden: dict[str, Tensor], golden_targets: list[ClipTargets], golden_valid_pixels: Tensor
) -> None:
    targets = stack_targets(golden_targets, golden_valid_pixels, "union", keep_absent=True)
    others = golden["proposal.other_queries"].tolist()
    matcher = HungarianMatcher(LossWeights(2.0, 1.0, 1.0, 5.0, 5.0, 2.0))
    for clip in range(2):
        queries = [*others, int(golden["proposal.matched_query"][clip])]
        matched_masks = golden["proposal.matched_masks"][:, :, None]
        layer = SupervisedLayer(
            suffix="_proposal",
            logits=golden["proposal.pred_logits"][:, :, queries, 0],
            boxes_cxcywh=golden["proposal.pred_boxes"][:, :, queries],
            matching_boxes_cxcywh=golden["proposal.proposal_boxes"][:, :, queries],
            masks=LayerMasks.computed(
                torch.cat([golden["proposal.other_masks"], matched_masks], dim=2)
            ),
            targets=targets,
        )
        assert matcher([layer], "released")[0].rows[clip] == len(others)
