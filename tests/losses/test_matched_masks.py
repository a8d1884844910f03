"""Only the masks of matched queries are asked for, and they are the right ones."""

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from rvos.losses import HungarianMatcher
from rvos.losses.matched_masks import matched_masks
from rvos.losses.predictions import supervised_layers
from rvos.losses.targets import stack_targets
from rvos.structures import (
    AuxiliarySegmentationOutput,
    ClipTargets,
    ComputedMasks,
    LayerPredictions,
    TrainingOutput,
)


class AskedMasks(ComputedMasks):
    """Notes how many masks were asked for."""

    asked: list[list[int]]

    def of_queries(self, queries: Sequence[Tensor]) -> list[Tensor]:
        self.asked = [*getattr(self, "asked", []), [each.shape[1] for each in queries]]
        return super().of_queries(queries)


@pytest.mark.parametrize("proposals_per_frame", [True, False])
def test_masks_of_the_matched_queries(
    make_output: Callable[..., AuxiliarySegmentationOutput],
    make_targets: Callable[..., ClipTargets],
    valid_pixels: Tensor,
    proposals_per_frame: bool,
) -> None:
    clips = [make_targets(3, [True, False, False]), make_targets(1, [True], seed=1)]
    targets = stack_targets(clips, valid_pixels, "all")
    whole = make_output(2)
    decoded = [*whole.aux_outputs, whole]
    source = AskedMasks(
        [each.pred_masks.flatten(0, 1) for each in (*decoded, whole.proposal_output)]
    )
    output = TrainingOutput(
        layers=[LayerPredictions(each.pred_logits, each.pred_boxes) for each in decoded],
        proposals=LayerPredictions(
            whole.proposal_output.pred_logits, whole.proposal_output.pred_boxes
        ),
        proposal_boxes=whole.proposal_output.proposal_boxes,
        masks=source,
        query_word_logits=[],
        word_logits=whole.word_logits,
        level_shapes=whole.level_shapes,
    )
    layers = supervised_layers(output, targets, proposals_per_frame)
    assignments = HungarianMatcher()(layers)
    found = matched_masks(layers, assignments)
    # Once, and three per frame: as many as the clip with most targets has.
    assert source.asked == [[3, 3, 3]]
    outputs = (whole, whole.aux_outputs[0], whole.proposal_output)
    for masks, assignment, layer, each in zip(found, assignments, layers, outputs, strict=True):
        expected = each.pred_masks
        if layer.targets.present.shape[2] == 1:
            expected = expected.flatten(0, 1)[:, None]
        assert torch.equal(masks, expected[assignment.batch, :, assignment.rows])
        assert masks.requires_grad


def test_batches_without_targets_match_nothing(
    make_output: Callable[..., AuxiliarySegmentationOutput],
    make_targets: Callable[..., ClipTargets],
    valid_pixels: Tensor,
) -> None:
    targets = stack_targets([make_targets(0, [])] * 2, valid_pixels, "all")
    layers = supervised_layers(make_output(2), targets, proposals_per_frame=False)
    found = matched_masks(layers, HungarianMatcher()(layers))
    assert [masks.shape for masks in found] == [(0, 3, 8, 12)] * 3
