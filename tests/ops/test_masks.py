import pytest
import torch

from rvos.ops.masks import subsample_masks


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 8), (32, 64), (33, 35)])
def test_size_is_that_of_the_mask_logits(height: int, width: int) -> None:
    masks = torch.ones(2, 3, height, width, dtype=torch.bool)
    expected = (2, 3, -(-height // 4), -(-width // 4))
    assert subsample_masks(masks).shape == expected


def test_equals_the_released_rule_where_the_size_is_a_multiple_of_the_stride() -> None:
    masks = torch.rand(3, 32, 64, generator=torch.Generator().manual_seed(0)) > 0.5
    assert torch.equal(subsample_masks(masks), masks[:, 2::4, 2::4])


def test_padding_the_frame_adds_only_empty_cells() -> None:
    masks = torch.rand(33, 35, generator=torch.Generator().manual_seed(0)) > 0.5
    padded = torch.zeros(64, 96, dtype=torch.bool)
    padded[:33, :35] = masks
    small, large = subsample_masks(masks), subsample_masks(padded)
    assert torch.equal(large[:9, :9], small)
    assert large.sum() == small.sum()
