"""The dynamic mask head."""

import pytest
import torch

from rvos.models.mask_heads import DynamicMaskHead, MaskFeatures, MaskQueries
from rvos.structures import ReferenceText

TEXT = ReferenceText(torch.zeros(2, 1, 8), torch.ones(2, 1, dtype=torch.bool))


@pytest.fixture
def maps() -> MaskFeatures:
    return MaskFeatures(
        torch.randn(2, 8, 4, 6), torch.ones(2, 4, 6, dtype=torch.bool), torch.ones(2, 2)
    )


def queries() -> MaskQueries:
    return MaskQueries(torch.randn(2, 3, 8), torch.rand(2, 3, 4), torch.randn(2, 3, 8))


@torch.no_grad()
def test_equals_three_generated_convolutions_of_one_query(maps: MaskFeatures) -> None:
    head, prompt = DynamicMaskHead(8, channels=4), queries()
    masks = head(prompt, maps, TEXT)
    frame, query, row, column = 1, 2, 3, 4
    parameters = head.controller(prompt.features)[frame, query]
    cell = torch.tensor([(column + 0.5) / 6, (row + 0.5) / 4])
    offset = cell - prompt.reference_boxes_cxcywh[frame, query, :2]
    signal = torch.cat((head.reduction(maps.features)[frame, :, row, column], offset))
    start = 0
    for inputs, outputs in ((6, 4), (4, 4), (4, 1)):
        weight = parameters[start : start + inputs * outputs].view(outputs, inputs)
        start += inputs * outputs
        signal = weight @ signal + parameters[start : start + outputs]
        start += outputs
        if outputs > 1:
            signal = signal.relu()
    assert start == len(parameters)
    torch.testing.assert_close(masks[frame, query, row, column], signal[0])


@torch.no_grad()
def test_equal_queries_at_other_places_get_other_masks(maps: MaskFeatures) -> None:
    head = DynamicMaskHead(8)
    boxes = torch.tensor([[0.2, 0.5, 0.1, 0.1], [0.8, 0.5, 0.1, 0.1]]).expand(2, -1, -1)
    prompt = MaskQueries(torch.ones(2, 2, 8), boxes, torch.zeros(2, 2, 8))
    masks = head(prompt, maps, TEXT)
    assert not torch.allclose(masks[:, 0], masks[:, 1])


@torch.no_grad()
def test_coordinates_are_those_of_the_padded_map(maps: MaskFeatures) -> None:
    """A centre at half of a frame that fills half of the map lies at a quarter of the map."""
    head, prompt = DynamicMaskHead(8), queries()
    maps.valid_ratios_xy = torch.tensor([[0.5, 1.0]]).expand(2, -1)
    padded = head(prompt, maps, TEXT)
    maps.valid_ratios_xy = torch.ones(2, 2)
    prompt.reference_boxes_cxcywh = prompt.reference_boxes_cxcywh * torch.tensor([0.5, 1, 0.5, 1])
    torch.testing.assert_close(head(prompt, maps, TEXT), padded)
