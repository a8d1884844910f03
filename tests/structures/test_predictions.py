"""A prediction's masks are boolean, one per frame."""

import jaxtyping
import pytest
import torch

from rvos.structures.predictions import VideoPrediction


def test_masks_are_decisions_not_scores() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        VideoPrediction("v/0", "v", "the dog", ["0"], 0.5, torch.rand(1, 4, 4))


def test_masks_have_no_batch_axis() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        VideoPrediction("v/0", "v", "the dog", ["0"], 0.5, torch.ones(1, 1, 4, 4) > 0)
