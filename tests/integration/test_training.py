"""What must hold for a long training: it resumes, and it stops with a clear error."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from rvos.losses import SetCriterion

EXPERIMENT = "referdino_tiny_moving_shapes"
RunVerb = Callable[..., int]


def _checkpoint(folder: Path, version: int) -> dict[str, Any]:
    (path,) = folder.glob(f"runs/*/version_{version}/checkpoints/last.ckpt")
    state: dict[str, Any] = torch.load(path, weights_only=True)
    return state


def test_last_starts_anew_and_then_resumes(
    run_verb: RunVerb, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    resume = ["--ckpt_path", "last", "--trainer.limit_val_batches", "0"]
    assert run_verb("fit", EXPERIMENT, *resume) == 0
    assert "starting anew" in capsys.readouterr().out
    assert run_verb("fit", EXPERIMENT, *resume, "--trainer.max_epochs", "2") == 0
    assert "version_0" in capsys.readouterr().out
    first, second = _checkpoint(tmp_path, 0), _checkpoint(tmp_path, 1)
    assert (first["global_step"], second["global_step"]) == (2, 4)
    assert second["lr_schedulers"][0]["last_epoch"] == 4
    steps = {int(state["step"]) for state in second["optimizer_states"][0]["state"].values()}
    assert steps == {4}


@pytest.mark.parametrize("num_first", [3, 8])
def test_two_parts_equal_the_whole(num_first: int, run_verb: RunVerb, tmp_path: Path) -> None:
    # One video has 8 expressions, so an epoch has 8 batches of one clip.
    plain = ["--data.max_videos", "1", "--trainer.limit_train_batches", "1.0"]
    plain += ["--trainer.limit_val_batches", "0", "--trainer.max_epochs", "2"]
    assert run_verb("fit", EXPERIMENT, *plain, "--trainer.max_steps", "10") == 0
    assert run_verb("fit", EXPERIMENT, *plain, "--trainer.max_steps", str(num_first)) == 0
    part = tmp_path / "runs" / EXPERIMENT / "version_1" / "checkpoints" / "last.ckpt"
    options = [*plain, "--trainer.max_steps", "10", "--ckpt_path", str(part)]
    assert run_verb("fit", EXPERIMENT, *options) == 0
    whole, resumed = _checkpoint(tmp_path, 0), _checkpoint(tmp_path, 2)
    assert whole["global_step"] == resumed["global_step"] == 10
    assert whole["epoch"] == 1
    for name, value in whole["state_dict"].items():
        torch.testing.assert_close(resumed["state_dict"][name], value, msg=name)


def test_infinite_loss_keeps_the_last_good_checkpoint(
    run_verb: RunVerb,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    original, calls = SetCriterion.forward, []

    def forward(self: SetCriterion, *args: Any) -> Any:
        losses = original(self, *args)
        calls.append(1)
        if len(calls) > 1:
            losses.total = losses.total * torch.inf
        return losses

    monkeypatch.setattr(SetCriterion, "forward", forward)
    # One checkpoint per step, so that a good one is there when the second step fails.
    often = tmp_path / "often.yaml"
    callback = {"class_path": "LastCheckpoint", "init_args": {"every_n_steps": 1}}
    often.write_text(yaml.safe_dump({"trainer": {"callbacks": [callback]}}))
    assert run_verb("fit", EXPERIMENT, "-c", str(often)) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "the loss is not finite at step 1 on rank 0, samples " in error
    assert "last.ckpt" in error
    state = _checkpoint(tmp_path, 0)
    assert state["global_step"] == 1
    assert all(value.isfinite().all() for value in state["state_dict"].values())


def test_resolved_configuration_reproduces_the_run(run_verb: RunVerb, tmp_path: Path) -> None:
    plain = ["--trainer.limit_val_batches", "0"]
    assert run_verb("fit", EXPERIMENT, *plain) == 0
    config = tmp_path / "runs" / EXPERIMENT / "version_0" / "config.yaml"
    assert run_verb("fit", EXPERIMENT, "-c", str(config)) == 0
    first, second = _checkpoint(tmp_path, 0), _checkpoint(tmp_path, 1)
    for name, value in first["state_dict"].items():
        torch.testing.assert_close(second["state_dict"][name], value, msg=name)


def test_mixed_precision_and_accumulation(run_verb: RunVerb, tmp_path: Path) -> None:
    options = ["--trainer.precision", "bf16-mixed", "--trainer.accumulate_grad_batches", "2"]
    assert run_verb("fit", EXPERIMENT, *options) == 0
    state = _checkpoint(tmp_path, 0)
    assert state["global_step"] == 1
    assert all(value.isfinite().all() for value in state["state_dict"].values())


def test_a_mistake_in_the_data_is_one_line(
    run_verb: RunVerb, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = ["--data.root", str(tmp_path / "nothing"), "--data.generate", "null"]
    assert run_verb("fit", EXPERIMENT, *missing) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("rvos: error: ")
    assert "nothing" in line


def test_checkpoint_of_another_model_is_one_line(
    run_verb: RunVerb, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_verb("fit", EXPERIMENT, "--trainer.limit_val_batches", "0") == 0
    path = tmp_path / "runs" / EXPERIMENT / "version_0" / "checkpoints" / "last.ckpt"
    capsys.readouterr()
    wider = ["--model.init_args.adaptation.init_args.rank", "4"]
    assert run_verb("validate", EXPERIMENT, "--ckpt_path", str(path), *wider) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "the checkpoint is of another model" in error


def test_ctrl_c_can_be_resumed(
    run_verb: RunVerb,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    original, calls = SetCriterion.forward, []

    def forward(self: SetCriterion, *args: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(self, *args)

    monkeypatch.setattr(SetCriterion, "forward", forward)
    plain = ["--trainer.limit_val_batches", "0", "--ckpt_path", "last"]
    assert run_verb("fit", EXPERIMENT, *plain) == 130
    assert "Interrupted" in capsys.readouterr().err
    assert _checkpoint(tmp_path, 0)["global_step"] == 1
    assert run_verb("fit", EXPERIMENT, *plain) == 0
    assert _checkpoint(tmp_path, 1)["global_step"] == 2
