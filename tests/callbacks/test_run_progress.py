import itertools
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader

from rvos.callbacks import RunProgress
from rvos.visualization import progress_bar


@pytest.fixture
def fast_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute between any two looks at the clock."""
    minutes = itertools.count(0, 60)
    monkeypatch.setattr(progress_bar.time, "monotonic", lambda: next(minutes))


def _trainer(folder: Path, **options: Any) -> Trainer:
    return Trainer(
        default_root_dir=folder,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        accelerator="cpu",
        num_sanity_val_steps=0,
        **options,
    )


def _lines(text: str, title: str) -> list[str]:
    assert "\r" not in text
    return [line for line in text.splitlines() if line.startswith(f"{title}: ")]


def test_a_training_in_a_log_has_a_first_and_a_last_line(
    square_task: LightningModule,
    clips: DataLoader[Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _trainer(tmp_path, max_epochs=40, callbacks=[RunProgress()]).fit(square_task, clips, clips)
    captured = capsys.readouterr()
    first, last = _lines(captured.err, "fit")
    assert first.startswith("fit:   1% 1/80 step, ")
    assert "epoch 0" in first
    assert "clips/s" in first
    assert last.startswith("fit: 100% 80/80 step, ")
    # Forty validations of two batches are no news.
    assert _lines(captured.err, "Validation") == []


@pytest.mark.usefixtures("fast_clock")
def test_a_long_training_writes_a_line_per_cent(
    square_task: LightningModule,
    clips: DataLoader[Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    callbacks = [RunProgress()]
    _trainer(tmp_path, max_epochs=200, callbacks=callbacks).fit(square_task, clips)
    lines = _lines(capsys.readouterr().err, "fit")
    assert 100 <= len(lines) <= 102
    assert " left, " in lines[50]


def test_steps_of_several_batches_and_a_limit_of_steps(
    square_task: LightningModule,
    clips: DataLoader[Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trainer = _trainer(tmp_path, max_steps=3, accumulate_grad_batches=2, callbacks=[RunProgress()])
    trainer.fit(square_task, clips)
    first, last = _lines(capsys.readouterr().err, "fit")
    assert first.startswith("fit:  33% 1/3 step, ")
    assert last.startswith("fit: 100% 3/3 step, ")


@pytest.mark.parametrize(
    ("verb", "title"),
    [("validate", "Validation"), ("test", "Testing"), ("predict", "Predicting")],
)
def test_evaluation_leaves_a_line(
    verb: str,
    title: str,
    square_task: LightningModule,
    clips: DataLoader[Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    getattr(_trainer(tmp_path, callbacks=[RunProgress()]), verb)(square_task, clips)
    (line,) = _lines(capsys.readouterr().err, f"{title} DataLoader 0")
    assert "100% 2/2 batch, " in line


def test_other_processes_and_a_rate_of_zero_write_nothing(
    square_task: LightningModule,
    clips: DataLoader[Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Disabled(RunProgress):
        def setup(self, *args: Any, **kwargs: Any) -> None:
            super().setup(*args, **kwargs)
            # As on every process but the first.
            self.disable()

    for callback in (Disabled(), RunProgress(refresh_rate=0)):
        _trainer(tmp_path, max_epochs=2, callbacks=[callback]).fit(square_task, clips, clips)
    assert "fit:" not in capsys.readouterr().err


def test_an_error_finds_its_own_line(
    square_task: LightningModule,
    clips: DataLoader[Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(batch: Any, batch_idx: int) -> None:
        message = "no space"
        raise ValueError(message)

    square_task.validation_step = broken  # type: ignore[method-assign, assignment]
    trainer = _trainer(tmp_path, max_epochs=2, callbacks=[RunProgress()])
    with pytest.raises(ValueError, match="no space"):
        trainer.fit(square_task, clips, clips)
    assert _lines(capsys.readouterr().err, "fit")[-1].startswith("fit:  50% 2/4 step, ")


def test_messages_of_a_task_are_printed(
    square_task: LightningModule,
    clips: DataLoader[Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    square_task.on_train_epoch_end = lambda: square_task.print("one", 2)  # type: ignore[method-assign]
    _trainer(tmp_path, max_epochs=1, callbacks=[RunProgress()]).fit(square_task, clips)
    assert "one 2\n" in capsys.readouterr().out
