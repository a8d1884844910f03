"""Supervision of the last layer alone."""

import pytest
import torch

from rvos.datasets.collate import collate_clips
from rvos.demo.fitting import build_data, build_task
from rvos.demo.folder import DemoFolder
from rvos.demo.settings import DemoSettings
from rvos.structures import VideoBatch
from rvos.tasks.optimized_task import NonFiniteLossError, OptimizedTask


@pytest.fixture
def batch(nano_settings: DemoSettings, written_folder: DemoFolder) -> VideoBatch:
    data = build_data(nano_settings, written_folder)
    dataset = data.training_dataset()
    return collate_clips([dataset[0], dataset[1]])


def test_the_loss_is_that_of_the_last_layer(
    nano_settings: DemoSettings, batch: VideoBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, torch.Tensor]] = []
    monkeypatch.setattr(
        OptimizedTask, "report_loss", lambda self, total, terms, ids: seen.append(terms)
    )
    task = build_task(nano_settings).eval()  # no dropout between the two passes
    loss = task.training_step(batch, 0)
    output = task.model.forward_with_auxiliary(batch.frames, batch.expressions, batch.valid_pixels)
    deep = task.criterion(output, batch.targets, batch.valid_pixels).terms
    assert set(seen[0]) == {name for name in deep if name.count("_") == 1} - {"loss_token"}
    for name, value in seen[0].items():
        torch.testing.assert_close(value, deep[name])
    loss.backward()
    gradients = {n.split(".")[0] for n, p in task.model.named_parameters() if p.grad is not None}
    assert gradients == {"temporal_enhancer"}


def test_a_lost_loss_stops_with_the_samples(
    nano_settings: DemoSettings, batch: VideoBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = build_task(nano_settings)
    error = NonFiniteLossError(f"not finite: {batch.sample_ids}")
    monkeypatch.setattr(OptimizedTask, "non_finite_loss", lambda self, sample_ids: error)
    torch.nn.init.constant_(next(task.model.mask_head.parameters()), torch.nan)
    with pytest.raises(NonFiniteLossError, match=batch.sample_ids[0]):
        task.training_step(batch, 0)
