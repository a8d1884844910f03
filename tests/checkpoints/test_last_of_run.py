import os
from pathlib import Path

import pytest
import torch

from rvos.checkpoints.files import CheckpointError
from rvos.checkpoints.last_of_run import check_intact, find_last_checkpoint


def _save(run: Path, version: int, step: int, name: str = "last.ckpt") -> Path:
    path = run / f"version_{version}" / "checkpoints" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"global_step": step, "state_dict": {"weight": torch.arange(5000.0)}}, path)
    return path


def _change(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def test_a_run_without_a_checkpoint_has_none(tmp_path: Path) -> None:
    assert find_last_checkpoint(tmp_path) is None


@pytest.mark.parametrize("times", [(1000, 1000, 1000), (1, 2, 3), (3, 2, 1), (10**10, 1, 2)])
def test_no_clock_decides_which_is_the_last(times: tuple[int, int, int], tmp_path: Path) -> None:
    paths = [
        _save(tmp_path, 10, 20),
        _save(tmp_path, 10, 30, "last-v1.ckpt"),
        _save(tmp_path, 9, 99),
    ]
    for path, time in zip(paths, times, strict=True):
        os.utime(path, (time, time))
    assert find_last_checkpoint(tmp_path) == str(paths[1])


def test_what_a_killed_job_left_beside_is_not_looked_at(tmp_path: Path) -> None:
    path = _save(tmp_path, 0, 5)
    path.with_name(".last.ckpt.partial").write_bytes(b"half")
    assert find_last_checkpoint(tmp_path) == str(path)


def test_a_damaged_one_names_the_newest_that_is_whole(tmp_path: Path) -> None:
    best = _save(tmp_path, 3, 20, "best.ckpt")
    _save(tmp_path, 3, 10, "epoch-0.ckpt")
    _save(tmp_path, 2, 400)
    last = _save(tmp_path, 3, 30)
    last.write_bytes(last.read_bytes()[:-100])
    with pytest.raises(CheckpointError) as caught:
        find_last_checkpoint(tmp_path)
    told = str(caught.value)
    assert told.startswith(f"{last} is damaged (it has no end)")
    assert told.endswith(f"is at step 20: go on with --ckpt_path {best}")
    best.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"at step 10: go on with .*version_3.*epoch-0"):
        find_last_checkpoint(tmp_path)


def test_where_none_is_whole_the_run_has_to_start_anew(tmp_path: Path) -> None:
    last = _save(tmp_path, 0, 30)
    last.write_bytes(b"PK")
    with pytest.raises(CheckpointError, match="delete it to start anew"):
        find_last_checkpoint(tmp_path)


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    path = _save(tmp_path, 0, 30)
    check_intact(path)
    content = path.read_bytes()
    for length in range(0, len(content), len(content) // 23):
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match="only part of one"):
            check_intact(path)


def test_a_changed_tensor_is_noticed(tmp_path: Path) -> None:
    path = _save(tmp_path, 0, 30)
    _change(path, path.stat().st_size // 2)
    with pytest.raises(CheckpointError, match="last/data/0"):
        check_intact(path)
