import dataclasses
import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rvos.storage import FolderInUseError, FolderLock, StorageError
from rvos.storage.folder_lock import LOCK_NAME
from rvos.storage.lock_owner import LockOwner
from rvos.structures.process_identity import ProcessIdentity

# Holds a folder, says so, and waits until its input ends.
_HOLDER = """
import sys
from pathlib import Path
from rvos.storage import FolderLock
with FolderLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def _hold(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def _lock_of_elsewhere(folder: Path) -> LockOwner:
    owner = LockOwner(ProcessIdentity(host="node7", machine="node7", pid=3), token="theirs")
    (folder / LOCK_NAME).write_bytes(owner.to_bytes())
    return owner


def test_another_process_is_refused_until_the_folder_is_given_back(tmp_path: Path) -> None:
    with _hold(tmp_path) as process:
        message = f"{tmp_path} is written to by another job .process {process.pid} on .*: wait"
        with pytest.raises(FolderInUseError, match=message):
            FolderLock(tmp_path).acquire()
        process.communicate("")
    with FolderLock(tmp_path):
        assert (tmp_path / LOCK_NAME).exists()
    assert not list(tmp_path.iterdir())


def test_a_killed_job_locks_nobody_out(tmp_path: Path) -> None:
    with _hold(tmp_path) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert (tmp_path / LOCK_NAME).exists()
        with FolderLock(tmp_path), pytest.raises(FolderInUseError):
            FolderLock(tmp_path).acquire()
    assert not list(tmp_path.iterdir())


def test_a_silent_job_of_another_machine_is_taken_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _lock_of_elsewhere(tmp_path)
    with FolderLock(tmp_path, patience_seconds=0.1):
        held = LockOwner.from_bytes((tmp_path / LOCK_NAME).read_bytes())
        assert held is not None
        assert held.process.pid == os.getpid()
    assert "locked by process 3 on node7: looking for up to" in capsys.readouterr().err


def test_a_job_of_another_machine_that_counts_is_left_alone(tmp_path: Path) -> None:
    theirs = _lock_of_elsewhere(tmp_path)
    done = threading.Event()

    def count() -> None:
        beat = 0
        while not done.wait(0.01):
            beat += 1
            content = dataclasses.replace(theirs, beat=beat).to_bytes()
            with (tmp_path / LOCK_NAME).open("r+b") as file:
                file.write(content)

    counting = threading.Thread(target=count)
    counting.start()
    try:
        with pytest.raises(FolderInUseError, match="process 3 on node7"):
            # The clock of this machine plays no part: no amount of patience makes it dead.
            FolderLock(tmp_path, patience_seconds=60.0).acquire()
    finally:
        done.set()
        counting.join()
    held = LockOwner.from_bytes((tmp_path / LOCK_NAME).read_bytes())
    assert held is not None
    assert held.token == "theirs"


def test_the_holder_counts(tmp_path: Path) -> None:
    with FolderLock(tmp_path, beat_seconds=0.01):
        first = (tmp_path / LOCK_NAME).read_bytes()
        waiting = threading.Event()
        for _ in range(1000):
            if (tmp_path / LOCK_NAME).read_bytes() != first:
                break
            waiting.wait(0.01)
        else:
            pytest.fail("the count stands still")


def test_a_lock_that_was_killed_before_it_was_written_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).touch()
    with FolderLock(tmp_path, patience_seconds=0.1):
        pass
    assert not list(tmp_path.iterdir())


def test_what_others_have_taken_over_is_not_given_back(tmp_path: Path) -> None:
    with FolderLock(tmp_path):
        _lock_of_elsewhere(tmp_path)
    assert (tmp_path / LOCK_NAME).exists()


def test_jobs_may_share_a_folder_by_parts(tmp_path: Path) -> None:
    with (
        FolderLock(tmp_path, name=".part-1"),
        FolderLock(tmp_path, name=".part-2"),
        pytest.raises(FolderInUseError),
    ):
        FolderLock(tmp_path, name=".part-1").acquire()
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(LockOwner, "to_bytes", full)
    with pytest.raises(StorageError, match="free some space"):
        FolderLock(tmp_path).acquire()
    assert not list(tmp_path.iterdir())
