"""A disk that is full: one line that names path and remedy, and nothing half written."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from broken_runs import command, run

from rvos.checkpoints.last_of_run import check_intact
from rvos.cli import main
from rvos.storage import FolderLock

Disk = Callable[[int], Path]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Disk]:
    """Mount a disk of some KiB, or change its size."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = []

    def mount(kibibytes: int) -> Path:
        options = f"size={kibibytes}k"
        change = ["-o", f"remount,{options}"] if mounted else ["-t", "tmpfs", "-o", options]
        words = ["mount", *change, "tmpfs", str(place)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"needs the right to mount: {done.stderr.strip()}")
        mounted.append(place)
        return place

    yield mount
    if mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _one_line(err: str, *parts: str) -> None:
    assert "Traceback" not in err, err
    (line,) = [line for line in err.splitlines() if line.startswith("rvos: error: ")]
    for part in parts:
        assert part in line


@pytest.mark.slow
def test_checkpoint_of_before_is_kept(small_disk: Disk, shapes: Path, tmp_path: Path) -> None:
    # One fits, and a second beside it does not.
    runs = ["--trainer.logger.init_args.save_dir", "disk"]
    every_step = ["--trainer.callbacks+", "rvos.callbacks.LastCheckpoint"]
    every_step += ["--trainer.callbacks.every_n_steps", "1"]
    words = command("fit", shapes, *runs, *every_step, "--trainer.limit_train_batches", "3")
    measured = run(tmp_path, words)
    assert measured.status == 0, measured.err
    (path,) = tmp_path.glob("disk/*/version_0/checkpoints/last.ckpt")
    disk = small_disk(int(1.5 * path.stat().st_size) // 1024)
    ended = run(tmp_path, words)
    assert ended.status == 1
    _one_line(ended.err, "last.ckpt cannot be written (No space left", "free some space")
    (path,) = disk.glob("*/version_0/checkpoints/*last.ckpt*")
    check_intact(path)
    assert torch.load(path, weights_only=True)["global_step"] == 1
    assert not list(disk.rglob(".rvos.lock"))


@pytest.mark.slow
def test_predictions_go_on_once_there_is_space(
    small_disk: Disk, shapes: Path, tmp_path: Path
) -> None:
    disk = small_disk(64)
    writer = ["--trainer.callbacks+", "rvos.callbacks.PredictionWriter"]
    writer += ["--trainer.callbacks.folder", str(disk)]
    ended = run(tmp_path, command("test", shapes, *writer))
    assert ended.status == 1
    _one_line(ended.err, str(disk), "No space left", "free some space")
    assert not list(disk.rglob("*.part"))
    whole = [path.parent for path in disk.glob("*/*/00000.png")]
    assert all(len(list(folder.iterdir())) == 4 for folder in whole)
    small_disk(4096)
    ended = run(tmp_path, command("test", shapes, *writer))
    assert ended.status == 0, ended.err
    assert f"{len(whole)} of 6 kept" in ended.out or f"{len(whole) - 1} of 6 kept" in ended.out


@pytest.mark.parametrize("workers", ["1", "2"])
def test_moving_shapes_go_on_once_there_is_space(
    workers: str, small_disk: Disk, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = small_disk(600)
    words = ["moving-shapes", str(disk / "shapes"), "--num-videos", "3", "--workers", workers]
    assert main(words) == 1
    _one_line(capsys.readouterr().err, str(disk), "No space left", "free space or choose another")
    small_disk(16384)
    assert main(words) == 0
    frames = [len(list(folder.iterdir())) for folder in disk.glob("shapes/train/JPEGImages/*")]
    assert len(frames) == 3
    assert len(set(frames)) == 1


def test_model_folder_appears_whole_or_not(
    small_disk: Disk, nano_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = small_disk(64)
    assert main(["convert", str(nano_weights), str(disk / "model")]) == 1
    _one_line(capsys.readouterr().err, str(disk), "No space left", "choose another")
    assert not list(disk.iterdir())


def test_a_lock_needs_no_space_to_stay(small_disk: Disk) -> None:
    disk = small_disk(16)
    with FolderLock(disk, beat_seconds=0.01):
        content = (disk / ".rvos.lock").read_bytes()
        with pytest.raises(OSError, match="No space"):
            (disk / "rest").write_bytes(bytes(2**20))
        (disk / "rest").chmod(0o600)
        while (disk / ".rvos.lock").read_bytes() in {content, b""}:
            pass
    assert [path.name for path in disk.iterdir()] == ["rest"]
