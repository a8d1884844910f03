"""What the demo learns."""

import dataclasses

import pytest

from rvos.demo.settings import DemoSettings
from rvos.inference.selection import ThresholdUnion, TopOne


def test_selection_follows_the_threshold() -> None:
    best_alone = dataclasses.replace(DemoSettings(), union_threshold=None)
    assert best_alone.selection == TopOne()
    assert dataclasses.replace(best_alone, union_threshold=0.3).selection == ThresholdUnion(0.3)


def test_settings_cannot_change_during_a_run() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        DemoSettings().seed = 1  # type: ignore[misc]
