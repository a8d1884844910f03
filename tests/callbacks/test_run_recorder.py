from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from torch.utils.data import DataLoader

from rvos.callbacks import LastCheckpoint, RunRecorder
from rvos.structures.errors import RunStopped
from rvos.structures.process_identity import this_process
from rvos.structures.run_record import RunRecord, parse_run_record


def _record(folder: Path) -> RunRecord:
    return parse_run_record((folder / "run" / "only" / "run.json").read_bytes())


class _Raise(Callback):
    """Ends a training in its second step."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *args: Any) -> None:
        if trainer.global_step == 2:
            raise self.error


class _Peek(Callback):
    """Reads the record while the run goes on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: list[RunRecord] = []

    def on_train_batch_start(self, *_: Any) -> None:
        self.seen.append(_record(self.folder))


def test_record_tells_the_run_while_it_goes_on_and_afterwards(
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PL_GLOBAL_SEED", "7")
    monkeypatch.setenv("SOME_TOKEN", "secret-value")
    peek = _Peek(tmp_path)
    callbacks = [RunRecorder(), LastCheckpoint(every_n_steps=1), peek]
    make_trainer(callbacks, max_epochs=2).fit(square_task, clips)
    begin = peek.seen[0]
    assert (begin.state, begin.step, begin.last_checkpoint) == ("running", 0, None)
    assert begin.process == this_process()
    # The second step begins with the first one's checkpoint written down.
    assert (peek.seen[1].step, peek.seen[1].last_checkpoint) == (1, "checkpoints/last.ckpt")
    end = _record(tmp_path)
    assert (end.state, end.step, end.max_epochs, end.max_steps) == ("finished", 4, 2, None)
    assert (end.name, end.version, end.verb, end.seed) == ("run", "only", "fit", 7)
    assert end.ended is not None
    assert end.error is None
    text = (tmp_path / "run" / "only" / "run.json").read_text()
    assert "secret-value" not in text
    assert "torch" in end.packages


def test_best_checkpoint_is_named(
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
) -> None:
    def validation_step(batch: Any, batch_idx: int) -> None:
        square_task.log("val/score", square_task.global_step * 0.1, batch_size=1)

    square_task.validation_step = validation_step  # type: ignore[method-assign, assignment]
    ranked = ModelCheckpoint(filename="best", monitor="val/score", mode="max")
    trainer = make_trainer([RunRecorder(), ranked], max_epochs=2)
    trainer.fit(square_task, clips, clips)
    best = _record(tmp_path).best
    assert best is not None
    assert (best.metric, best.mode, best.value) == ("val/score", "max", pytest.approx(0.4))
    assert (tmp_path / "run" / "only" / best.checkpoint).is_file()
    assert _record(tmp_path).metrics == {"val/score": pytest.approx(0.4)}


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (ValueError("no space\nand more"), "failed", "ValueError: no space"),
        (RuntimeError(), "failed", "RuntimeError"),
        (KeyboardInterrupt(), "interrupted", "KeyboardInterrupt"),
        (SystemExit(1), "interrupted", "SystemExit: 1"),
        (RunStopped("stopped at step 2"), "interrupted", "RunStopped: stopped at step 2"),
    ],
)
def test_what_ended_a_run_is_told(
    error: BaseException,
    state: str,
    reason: str,
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
) -> None:
    trainer = make_trainer([RunRecorder(), _Raise(error)], max_epochs=2)
    with pytest.raises((type(error), SystemExit)):
        trainer.fit(square_task, clips)
    record = _record(tmp_path)
    assert (record.state, record.error, record.step) == (state, reason, 2)


def test_resumed_run_names_its_checkpoint(
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
) -> None:
    callbacks = [RunRecorder(), LastCheckpoint(every_n_steps=1)]
    make_trainer(callbacks, max_epochs=2, max_steps=2).fit(square_task, clips)
    assert _record(tmp_path).started_from is None
    last = tmp_path / "run" / "only" / "checkpoints" / "last.ckpt"
    second = make_trainer([RunRecorder()], max_epochs=2)
    second.fit(square_task, clips, ckpt_path=last, weights_only=True)
    record = _record(tmp_path)
    assert (record.started_from, record.start_step, record.step) == (str(last), 2, 4)


def test_signs_of_life_come_as_often_as_asked_for(
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
) -> None:
    for seconds, steps in ((0.0, [0, 1, 2, 3]), (1e9, [0, 0, 0, 0])):
        peek = _Peek(tmp_path)
        callbacks = [RunRecorder(seconds_between_updates=seconds), peek]
        make_trainer(callbacks, max_epochs=2, enable_checkpointing=False).fit(square_task, clips)
        assert [record.step for record in peek.seen] == steps


def test_a_run_goes_on_without_its_record(
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # In the place of the file, so that root cannot write it either.
    (tmp_path / "run" / "only" / "run.json").mkdir(parents=True)
    trainer = make_trainer([RunRecorder(seconds_between_updates=0.0)], max_epochs=2)
    trainer.fit(square_task, clips)
    assert trainer.global_step == 4
    assert capsys.readouterr().err.count("the record of this run is not written") == 1


def test_other_processes_and_rehearsals_write_nothing(
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
) -> None:
    make_trainer([RunRecorder()], fast_dev_run=True).fit(square_task, clips)
    assert not list(tmp_path.rglob("run.json"))
