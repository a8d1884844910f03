"""Every mask head offers the same call."""

import pytest
import torch

from rvos.models.mask_heads import (
    DynamicMaskHead,
    MaskFeatures,
    MaskHead,
    MaskQueries,
    StaticMaskHead,
)
from rvos.models.referdino import GroundingGuidedMaskDecoder
from rvos.structures import ReferenceText

HEADS = [StaticMaskHead(16), DynamicMaskHead(16), GroundingGuidedMaskDecoder(16, 1, 2, 2, 16)]


@torch.no_grad()
@pytest.mark.parametrize("head", HEADS, ids=lambda head: type(head).__name__)
def test_frames_and_queries_keep_their_places(head: MaskHead) -> None:
    queries = MaskQueries(torch.randn(2, 4, 16), torch.rand(2, 4, 4), torch.randn(2, 4, 16))
    maps = MaskFeatures(
        torch.randn(2, 16, 5, 7), torch.ones(2, 5, 7, dtype=torch.bool), torch.ones(2, 2)
    )
    text = ReferenceText(torch.randn(2, 3, 16), torch.ones(2, 3, dtype=torch.bool))
    masks = head(queries, maps, text)
    assert masks.shape == (2, 4, 5, 7)
    flipped = head(
        MaskQueries(
            queries.features.flip(0, 1),
            queries.reference_boxes_cxcywh.flip(0, 1),
            queries.positions.flip(0, 1),
        ),
        MaskFeatures(maps.features.flip(0), maps.valid, maps.valid_ratios_xy),
        ReferenceText(text.features.flip(0), text.valid),
    )
    torch.testing.assert_close(flipped, masks.flip(0, 1), rtol=1e-4, atol=1e-4)
