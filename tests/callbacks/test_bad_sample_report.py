from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from lightning.pytorch import LightningDataModule, LightningModule, Trainer
from torch.utils.data import DataLoader

from rvos.callbacks import BadSampleReport
from rvos.datasets.bad_sample_counter import BadSampleCounter
from rvos.structures.video import BadSample


class _Data(LightningDataModule):
    """Meets one damaged sample in every batch."""

    def __init__(self, clips: DataLoader[Any], policy: Literal["stop", "skip"]) -> None:
        super().__init__()
        self.clips = clips
        self.on_bad_sample = policy
        self.bad_samples = BadSampleCounter(limit=2)

    def train_dataloader(self) -> DataLoader[Any]:
        return self.clips

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        if self.on_bad_sample == "skip":
            self.bad_samples.add(SimpleNamespace(bad_samples=[BadSample("a/0", "no end")]))
        return batch


@pytest.mark.parametrize("policy", ["skip", "stop"])
def test_every_epoch_is_reported(
    policy: Literal["stop", "skip"],
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trainer = make_trainer([BadSampleReport()], max_epochs=2)
    logged: list[int] = []
    assert trainer.logger is not None
    monkeypatch.setattr(
        trainer.logger,
        "log_metrics",
        lambda values, step: logged.extend(
            value for name, value in values.items() if name == "data/bad_samples"
        ),
    )
    trainer.fit(square_task, datamodule=_Data(clips, policy))
    out = capsys.readouterr().out
    if policy == "skip":
        assert logged == [2, 2]
        assert "epoch 1: 2 samples were damaged, and others stood for them" in out
    else:
        assert logged == []
        assert "damaged" not in out
