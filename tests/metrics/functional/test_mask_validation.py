import pytest
import torch

from rvos.metrics.functional.mask_validation import validate_masks

MASK = torch.zeros(2, 3, 4, dtype=torch.bool)


def test_matching_boolean_masks_pass() -> None:
    validate_masks(MASK, MASK)
    validate_masks(MASK[0], MASK[0], MASK[0])


def test_other_types_are_refused_with_the_remedy() -> None:
    with pytest.raises(
        ValueError, match=r"`target` to be boolean, but got torch\.uint8; threshold"
    ):
        validate_masks(MASK, MASK.to(torch.uint8))


@pytest.mark.parametrize("other", [MASK[:1], MASK[..., :2], MASK[0], MASK.to("meta")])
def test_other_shapes_and_devices_are_refused(other: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="`void` to have shape"):
        validate_masks(MASK, MASK, other)


def test_a_vector_is_no_mask() -> None:
    with pytest.raises(ValueError, match=r"\[..., H, W\]"):
        validate_masks(MASK[0, 0], MASK[0, 0])
