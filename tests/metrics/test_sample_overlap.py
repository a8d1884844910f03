from typing import Any

import pytest
import torch

from rvos.metrics.sample_overlap import SampleOverlapMetric


class Ious(SampleOverlapMetric):
    """Returns the IoU of every sample."""

    def compute(self) -> list[float]:
        return self.sample_ious().tolist()


MASK = torch.tensor([[True, True, False], [False, False, False]])
NOTHING = torch.zeros_like(MASK)


@pytest.mark.parity
def test_equals_the_official_values_of_every_sample(golden_a2d: Any) -> None:
    assert len(golden_a2d.samples) == 38
    for sample in golden_a2d.samples:
        metric = Ious()
        metric.update([sample.best], [sample.target], [sample.sample_id])
        assert metric.unique_samples()[1].tolist() == [[sample.intersection, sample.union]]
        assert metric.compute() == [sample.iou], sample.sample_id


def test_two_empty_masks_agree() -> None:
    metric = Ious()
    metric.update([NOTHING], [NOTHING], ["clip"])
    assert metric.compute() == [1.0]


def test_frames_of_a_clip_are_counted_together() -> None:
    metric = Ious()
    metric.update([torch.stack([MASK, NOTHING])], [torch.stack([MASK, MASK])], ["clip"])
    assert metric.unique_samples()[1].tolist() == [[2, 4]]


def test_void_pixels_do_not_count() -> None:
    metric = Ious()
    metric.update([MASK], [~MASK], ["clip"], void=[MASK])
    assert metric.unique_samples()[1].tolist() == [[0, 4]]


def test_one_tensor_equals_a_list() -> None:
    together, listed = Ious(), Ious()
    together.update(torch.stack([MASK, ~MASK]), torch.stack([MASK, MASK]), ["a", "b"])
    listed.update([MASK, ~MASK], [MASK, MASK], ["a", "b"])
    assert together.compute() == listed.compute()


@pytest.mark.parametrize("names", [[], ["a", "b"]])
def test_lengths_must_agree(names: list[str]) -> None:
    metric = Ious()
    with pytest.raises(ValueError, match="one entry per sample id"):
        metric.update([MASK], [MASK], names)
    assert metric.sample_keys == []
