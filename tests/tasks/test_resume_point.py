"""A run resumed from a checkpoint of any moment does what the uninterrupted one does."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningDataModule, Trainer
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from rvos.datamodules.loader import EpochDataLoader, training_loader
from rvos.datasets.epoch_counter import EpochCounter
from rvos.tasks.optimized_task import OptimizedTask
from rvos.tasks.resume_point import settle_resume_point
from rvos.tasks.schedules import WarmUpMultiStepLR

Event = tuple[Any, ...]

RUNS: dict[str, dict[str, Any]] = {
    "epochs": {"max_epochs": 3},
    "accumulation": {"max_epochs": 3, "accumulate_grad_batches": 2},
    "part_of_an_epoch": {"max_epochs": 3, "limit_train_batches": 3},
    "validation_inside": {"max_epochs": 3, "val_check_interval": 2},
    "steps": {
        "max_steps": 13,
        "max_epochs": -1,
        "val_check_interval": 4,
        "check_val_every_n_epoch": None,
    },
}
MOMENTS = [
    "on_train_batch_start",
    "on_before_optimizer_step",
    "on_before_zero_grad",
    "on_train_batch_end",
    "on_validation_start",
    "on_validation_end",
    "on_train_epoch_end",
]


class NumberedSamples(EpochCounter, Dataset[Tensor]):
    """Samples that tell their number and the epoch that they were drawn for."""

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> Tensor:
        return torch.tensor([float(index), float(self.epoch)])


class NumberedData(LightningDataModule):
    """The loader of the real data modules, around numbers."""

    def train_dataloader(self) -> EpochDataLoader:
        dataset = NumberedSamples()
        assert self.trainer is not None
        dataset.set_epoch(self.trainer.current_epoch)
        return training_loader(dataset, 2, 0, seed=0, collate=torch.stack)

    def val_dataloader(self) -> DataLoader[Any]:
        return DataLoader(torch.arange(3.0)[:, None])  # type: ignore[arg-type]


class NoisyTask(OptimizedTask):
    """Draws random numbers in every step and writes down what happens."""

    def __init__(self) -> None:
        super().__init__(
            optimizer=lambda parameters: torch.optim.AdamW(parameters, lr=0.1),
            lr_scheduler=lambda optimizer: WarmUpMultiStepLR(optimizer, milestones=[4, 9]),
        )
        self.weights = torch.nn.Parameter(torch.linspace(-1, 1, 3))
        self.events: list[Event] = []

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        place = (self.current_epoch, batch_idx, self.global_step, rate)
        self.events.append(("train", *place, *batch.flatten().tolist()))
        loss = ((self.weights * torch.rand(3) * batch[:, :1]).sum() - 1).square()
        self.report_loss(loss, {}, ["sample"])
        return loss

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        self.events.append(("validate", self.current_epoch, batch_idx, self.global_step))

    def on_train_epoch_end(self) -> None:
        self.events.append(("end of epoch", self.current_epoch, self.global_step))


class SavingAt(Callback):
    """Write a checkpoint at the n-th time that something happens."""

    def __init__(self, moment: str, number: int, path: Path) -> None:
        self.remaining = number
        self.path = path
        self.num_events_before = 0
        setattr(self, moment, self._happened)

    def _happened(self, trainer: Trainer, task: NoisyTask, *_: Any) -> None:
        self.remaining -= 1
        if self.remaining == 0:
            trainer.save_checkpoint(self.path)
            self.num_events_before = len(task.events)


@dataclass
class Run:
    """What a run has done."""

    weights: Tensor
    events: list[Event]
    num_logged_steps: int
    optimizer: dict[str, Any] = field(default_factory=dict)


def fit(folder: Path, options: dict[str, Any], *callbacks: Callback, resume: bool = False) -> Run:
    torch.manual_seed(5)
    task = NoisyTask()
    quiet: dict[str, Any] = {
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    trainer = Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        callbacks=list(callbacks),
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        **quiet,
        **options,
    )
    if resume:
        torch.manual_seed(6)  # the checkpoint's seed counts, not the one of the new process
    path = folder / "saved.ckpt" if resume else None
    trainer.fit(task, NumberedData(), ckpt_path=path, weights_only=True if resume else None)
    num_logged_steps = trainer.fit_loop.epoch_loop._batches_that_stepped
    optimizer = trainer.optimizers[0].state_dict()
    return Run(task.weights.detach().clone(), task.events, num_logged_steps, optimizer)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("options", RUNS.values(), ids=RUNS)
def test_resumed_run_does_what_the_uninterrupted_one_does(
    options: dict[str, Any], moment: str, tmp_path: Path
) -> None:
    whole = fit(tmp_path, options)
    num_compared = 0
    # The first ones, and those around the end of the first epoch.
    for number in (1, 2, 5, 6):
        (tmp_path / "saved.ckpt").unlink(missing_ok=True)
        saving = SavingAt(moment, number, tmp_path / "saved.ckpt")
        assert fit(tmp_path, options, saving).events == whole.events
        if not (tmp_path / "saved.ckpt").exists():
            break
        resumed = fit(tmp_path, options, resume=True)
        assert torch.equal(resumed.weights, whole.weights)
        assert resumed.num_logged_steps == whole.num_logged_steps
        assert resumed.optimizer["param_groups"] == whole.optimizer["param_groups"]
        moments = zip(resumed.optimizer["state"][0], whole.optimizer["state"][0], strict=True)
        assert all(a == b for a, b in moments)
        # What was read before, without having got into the weights, is read again; nothing else.
        remaining = whole.events[len(whole.events) - len(resumed.events) :]
        assert resumed.events == remaining
        end_of_epoch = moment == "on_train_epoch_end"  # written before the task hears of it
        expected = len(whole.events) - saving.num_events_before - end_of_epoch
        num_reread = options.get("accumulate_grad_batches", 1)
        assert expected <= len(resumed.events) <= expected + num_reread
        num_compared += 1
    assert num_compared >= 2


def test_checkpoint_before_a_final_validation_is_complete(tmp_path: Path) -> None:
    saving = SavingAt("on_validation_start", 3, tmp_path / "saved.ckpt")
    whole = fit(tmp_path, RUNS["epochs"], saving)
    assert fit(tmp_path, RUNS["epochs"], resume=True).events == whole.events[-4:]


def test_a_validation_between_two_optimizer_steps_is_repeated(tmp_path: Path) -> None:
    options = {"max_epochs": 1, "accumulate_grad_batches": 2, "val_check_interval": 3}
    saving = SavingAt("on_validation_end", 1, tmp_path / "saved.ckpt")
    whole = fit(tmp_path, options, saving)
    resumed = fit(tmp_path, options, resume=True)
    assert torch.equal(resumed.weights, whole.weights)
    # From the third batch on, with the validation after it.
    assert resumed.events == whole.events[2:]


def test_a_checkpoint_without_loops_stays() -> None:
    checkpoint: dict[str, Any] = {"state_dict": {}, "loops": {}}
    settle_resume_point(checkpoint, Trainer(accelerator="cpu", logger=False))
    assert checkpoint == {"state_dict": {}, "loops": {}}
