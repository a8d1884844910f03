from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import CSVLogger

from rvos.structures.errors import RvosError
from rvos.tasks.optimized_task import NonFiniteLossError, OptimizedTask
from rvos.tasks.schedules import WarmUpMultiStepLR


class LineTask(OptimizedTask):
    """Two parameters, one of them frozen; the loss becomes infinite in one step."""

    def __init__(self, bad_step: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.slope = torch.nn.Parameter(torch.tensor(2.0))
        self.frozen = torch.nn.Parameter(torch.tensor(1.0), requires_grad=False)
        self.bad_step = bad_step
        self.values: list[float] = []

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        self.values.append(self.slope.item())
        loss = (self.slope * batch).square().sum()
        if self.global_step == self.bad_step:
            loss = loss * torch.inf
        self.report_loss(loss, {"loss_line": loss.detach()}, [f"sample_{batch_idx}"])
        return loss

    def train_dataloader(self) -> torch.utils.data.DataLoader[torch.Tensor]:
        return torch.utils.data.DataLoader(torch.ones(8, 1), batch_size=2)


def _trainer(folder: Path, **kwargs: Any) -> Trainer:
    quiet = {"enable_progress_bar": False, "enable_model_summary": False}
    return Trainer(default_root_dir=folder, accelerator="cpu", **quiet, **kwargs)


def _sgd(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=0.01)


def test_only_trainable_parameters_are_optimised(tmp_path: Path) -> None:
    task = LineTask(optimizer=_sgd)
    _trainer(tmp_path, max_steps=2, logger=False).fit(task)
    assert task.slope.item() < 2.0
    assert task.frozen.item() == 1.0
    (group,) = task.optimizers().param_groups
    assert [p is task.slope for p in group["params"]] == [True]


@pytest.mark.parametrize(("accumulate", "expected"), [(1, 0.02), (3, 0.06)])
def test_rate_scales_with_the_effective_batch(
    tmp_path: Path, accumulate: int, expected: float
) -> None:
    task = LineTask(optimizer=_sgd, reference_batch_size=2)
    trainer = _trainer(tmp_path, logger=False, accumulate_grad_batches=accumulate)
    trainer.datamodule = type("Data", (), {"batch_size": 4})()
    task.trainer = trainer
    optimizer = task.configure_optimizers()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(expected)


def test_scaling_without_a_batch_size_is_a_clear_error(tmp_path: Path) -> None:
    task = LineTask(reference_batch_size=2)
    with pytest.raises(RvosError, match="reference_batch_size needs a datamodule"):
        _trainer(tmp_path, max_steps=1, logger=False).fit(task)


def test_own_schedules_advance_per_step_and_those_of_torch_per_epoch(tmp_path: Path) -> None:
    def stepwise(optimizer: torch.optim.Optimizer) -> WarmUpMultiStepLR:
        return WarmUpMultiStepLR(optimizer, milestones=[2])

    def per_epoch(optimizer: torch.optim.Optimizer) -> torch.optim.lr_scheduler.MultiStepLR:
        return torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[2])

    rates: list[float] = []
    for builder in (stepwise, per_epoch):
        task = LineTask(optimizer=_sgd, lr_scheduler=builder)
        _trainer(tmp_path, max_steps=3, logger=False).fit(task)
        rates.append(task.optimizers().param_groups[0]["lr"])
    assert rates == pytest.approx([0.001, 0.01])


def test_infinite_loss_stops_before_the_weights_change(tmp_path: Path) -> None:
    task = LineTask(bad_step=2, optimizer=_sgd)
    with pytest.raises(NonFiniteLossError) as caught:
        _trainer(tmp_path, max_steps=4, logger=False).fit(task)
    message = str(caught.value)
    assert "step 2 on rank 0, samples sample_2" in message
    assert task.slope.item() == task.values[-1]
    assert torch.isfinite(task.slope)


def test_terms_are_logged_every_so_many_steps(tmp_path: Path) -> None:
    logger = CSVLogger(tmp_path, name="run", version=0)
    task = LineTask(optimizer=_sgd)
    _trainer(tmp_path, max_steps=4, logger=logger, log_every_n_steps=2).fit(task)
    logger.save()
    lines = (tmp_path / "run" / "version_0" / "metrics.csv").read_text().splitlines()
    assert set(lines[0].split(",")) == {"step", "train/loss", "train/loss_line"}
    position = lines[0].split(",").index("step")
    assert [line.split(",")[position] for line in lines[1:]] == ["0", "2"]
