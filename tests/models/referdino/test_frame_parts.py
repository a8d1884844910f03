import torch

from rvos.models.referdino.frame_parts import (
    FramePixels,
    FrameQueries,
    join_pixels,
    join_queries,
)
from rvos.structures import ReferenceText


def queries(num_frames: int) -> FrameQueries:
    text = ReferenceText(torch.randn(num_frames, 3, 8), torch.rand(num_frames, 3) > 0.5)
    return FrameQueries(torch.randn(num_frames, 4, 8), torch.rand(num_frames, 4, 4), text)


def test_queries_are_cut_and_joined() -> None:
    whole = queries(5)
    assert len(whole) == 5
    joined = join_queries([whole.select(0, 2), whole.select(2, 5)])
    assert torch.equal(joined.features, whole.features)
    assert torch.equal(joined.reference_boxes_cxcywh, whole.reference_boxes_cxcywh)
    assert torch.equal(joined.text.features, whole.text.features)
    assert torch.equal(joined.text.valid, whole.text.valid)


def test_pixels_are_cut_and_joined() -> None:
    whole = FramePixels(torch.randn(5, 2, 3, 4), torch.rand(5, 3, 4) > 0.5)
    assert len(whole) == 5
    joined = join_pixels([whole.select(0, 1), whole.select(1, 5)])
    assert torch.equal(joined.features, whole.features)
    assert torch.equal(joined.valid, whole.valid)
