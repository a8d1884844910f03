"""Output folders: one job at a time, writable, and seen to be so before hours are spent."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from broken_runs import command, ended, fault, run, started, wait_for

from rvos.cli import main

_WRITER = ["--trainer.callbacks+", "rvos.callbacks.PredictionWriter"]
_WRITER += ["--trainer.callbacks.folder", "out"]
# Both name the same folder, instead of taking the next number.
_LOGGER = ["--trainer.logger.init_args.save_dir", ".", "--trainer.logger.init_args.name", "out"]
_LOGGER += ["--trainer.logger.init_args.version", "0", "--trainer.limit_train_batches", "2"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verb", "point", "more", "folder"),
    [
        ("test", "test batch", _WRITER, "out"),
        ("fit", "training batch", _LOGGER, "out/version_0"),
    ],
)
def test_second_job_is_refused_and_the_next_one_after_a_kill_is_not(
    verb: str, point: str, more: list[str], folder: str, shapes: Path, tmp_path: Path
) -> None:
    busy = tmp_path / "busy"
    waiting = fault("Wait", point, number=1, file=str(busy))
    words = command(verb, shapes, *more)
    with started(tmp_path, [*words, *waiting]) as first:
        wait_for(busy.exists, first)
        second = run(tmp_path, words)
        assert second.status == 1, second.err
        told = second.told()
        assert f"{folder} is written to by another job (process {first.pid} on " in told
        assert "name another folder" in told
        os.kill(first.pid, signal.SIGKILL)
        assert ended(first).status == -signal.SIGKILL
    third = run(tmp_path, words)
    assert third.status == 0, third.err
    assert not (tmp_path / folder / ".rvos.lock").exists()


@pytest.fixture
def read_only(tmp_path: Path) -> Path:
    """A folder on a disk that cannot be written, whoever asks: root may ignore mere rights."""
    place = tmp_path / "read_only"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(place)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs the right to mount: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize(
    ("verb", "more"),
    [
        ("fit", ["--trainer.logger.init_args.save_dir", "read_only/runs"]),
        ("test", [*_WRITER[:-1], "read_only/predictions"]),
        (
            "fit",
            [
                "--trainer.callbacks+",
                "rvos.callbacks.ModelFolderWriter",
                "--trainer.callbacks.folder",
                "read_only/model",
            ],
        ),
    ],
    ids=["run", "predictions", "model"],
)
def test_read_only_folder_is_told_before_the_first_step(
    verb: str,
    more: list[str],
    read_only: Path,
    shapes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    stepped = []
    task = "rvos.tasks.ReferringSegmentationTask"
    for step in ("training_step", "test_step"):
        monkeypatch.setattr(f"{task}.{step}", lambda *_: stepped.append(1))
    assert main(command(verb, shapes, *more)[3:]) == 1
    err = capsys.readouterr().err
    assert "Traceback" not in err
    (line,) = [line for line in err.splitlines() if line.startswith("rvos: error: ")]
    assert read_only.name in line
    assert "cannot be written (Read-only file system): choose a folder you may write to" in line
    assert not stepped
