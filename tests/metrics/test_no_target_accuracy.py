import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.metrics import NoTargetAccuracy

cases = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=12)


def _clip(answered: bool) -> torch.Tensor:
    masks = torch.zeros(3, 4, 5, dtype=torch.bool)
    masks[1, 2, 3] = answered  # one pixel of one frame is an answer
    return masks


@given(cases, st.integers(1, 4))
def test_shares_equal_counts(pairs: list[tuple[bool, bool]], batch_size: int) -> None:
    metric = NoTargetAccuracy()
    metric.update([], [], [])
    for start in range(0, len(pairs), batch_size):
        batch = pairs[start : start + batch_size]
        metric.update(
            [_clip(answered) for _, answered in batch],
            [has_target for has_target, _ in batch],
            [f"video/{start + offset}" for offset in range(len(batch))],
        )
    scores = metric.compute()
    for has_target, share, number in (
        (False, scores.n_acc, scores.num_without_target),
        (True, scores.t_acc, scores.num_with_target),
    ):
        right = [answered == has_target for target, answered in pairs if target == has_target]
        assert number == len(right)
        if right:
            assert share.item() == pytest.approx(sum(right) / len(right))
        else:
            assert math.isnan(share.item())


def test_only_data_with_expressions_without_target_are_logged() -> None:
    metric = NoTargetAccuracy()
    metric.update([_clip(answered=True)], [True], ["video/0"])
    assert metric.compute().as_log_dict("val/") == {}
    metric.update([_clip(answered=True)], [False], ["video/1"])
    logged = metric.compute().as_log_dict("val/")
    assert {name: value.item() for name, value in logged.items()} == {
        "val/N-acc": 0,
        "val/T-acc": 1,
    }


def test_repeated_samples_count_once() -> None:
    metric = NoTargetAccuracy()
    for _ in range(2):
        metric.update([_clip(answered=False)], [False], ["video/0"])
    assert metric.compute().num_without_target == 1


def test_arguments_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="one entry per sample id"):
        NoTargetAccuracy().update([_clip(answered=True)], [True, False], ["video/0"])
