"""One bar over all epochs."""

from pathlib import Path

import pytest
from lightning.pytorch import Trainer
from lightning.pytorch.demos.boring_classes import BoringModel

from rvos.demo.step_bar import StepBar


def fit(bar: StepBar, num_steps: int, folder: Path, resume: Path | None = None) -> Trainer:
    """Fit in epochs of two steps."""
    trainer = Trainer(
        accelerator="cpu",
        default_root_dir=folder,
        max_steps=num_steps,
        max_epochs=-1,
        limit_train_batches=2,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        callbacks=[bar],
    )
    trainer.fit(BoringModel(), ckpt_path=resume, weights_only=True)
    return trainer


def states(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = capsys.readouterr().err.replace("\n", "\r").split("\r")
    return [line for line in lines if line.startswith("fitting")]


def test_it_counts_over_epochs_to_the_last_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(StepBar(), 5, tmp_path)
    shown = states(capsys)
    assert "fitting: 100%" in shown[-1]
    assert "5/5" in shown[-1]


def test_a_resumed_fit_starts_where_it_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = tmp_path / "last.ckpt"
    fit(StepBar(), 2, tmp_path).save_checkpoint(checkpoint)
    capsys.readouterr()
    fit(StepBar(), 4, tmp_path, checkpoint)
    assert "4/4" in states(capsys)[-1]


def test_an_error_leaves_a_finished_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    original, calls = BoringModel.training_step, []

    def fail_later(*args: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            message = "lost"
            raise ValueError(message)
        return original(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(BoringModel, "training_step", fail_later)
    with pytest.raises(ValueError, match="lost"):
        fit(StepBar(), 2, tmp_path)
    err = capsys.readouterr().err
    assert "1/2 step" in err
    assert err.endswith("\n")


def test_a_disabled_bar_is_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bar = StepBar()
    bar.disable()
    fit(bar, 2, tmp_path)
    assert states(capsys) == []
    bar.enable()
    fit(bar, 2, tmp_path)
    assert "2/2" in states(capsys)[-1]
