import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.metrics.functional import intersection_and_union


@given(st.integers(0, 2**31), st.integers(1, 9), st.integers(1, 9))
def test_counts_pixel_by_pixel(seed: int, height: int, width: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    pred, target, void = torch.rand(3, 2, height, width, generator=generator) < 0.5
    intersection, union = intersection_and_union(pred, target, void)
    for frame in range(2):
        pixels = list(
            zip(*(mask[frame].flatten().tolist() for mask in (pred, target, void)), strict=True)
        )
        assert intersection[frame] == sum(a and b and not v for a, b, v in pixels)
        assert union[frame] == sum((a or b) and not v for a, b, v in pixels)


def test_leading_axes_are_kept() -> None:
    masks = torch.ones(2, 3, 4, 5, dtype=torch.bool)
    intersection, union = intersection_and_union(masks, masks)
    assert intersection.shape == union.shape == (2, 3)
    assert (intersection == 20).all()
    assert intersection.dtype == torch.int64
