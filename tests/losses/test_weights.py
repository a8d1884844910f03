from dataclasses import FrozenInstanceError

import pytest

from rvos.losses import HungarianMatcher, LossWeights, SetCriterion


def test_the_matcher_takes_the_criterions_weights_unless_it_has_its_own() -> None:
    weights = LossWeights(ce=1.5)
    assert SetCriterion(weights=weights).matcher.weights == weights
    assert SetCriterion(HungarianMatcher(), weights).matcher.weights == LossWeights()


def test_shared_weights_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        LossWeights().ce = 3.0  # type: ignore[misc]
