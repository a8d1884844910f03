import dataclasses
import subprocess
import sys

import pytest

from rvos.storage.lock_owner import LockOwner
from rvos.structures.process_identity import ProcessIdentity


def _with_process(owner: LockOwner, **changes: object) -> LockOwner:
    values = {**dataclasses.asdict(owner.process), **changes}
    return dataclasses.replace(owner, process=ProcessIdentity(**values))


def test_content_is_read_back_and_keeps_its_length() -> None:
    owner = LockOwner.of_this_process()
    later = dataclasses.replace(owner, beat=10**9)
    assert LockOwner.from_bytes(later.to_bytes()) == later
    assert len(later.to_bytes()) == len(owner.to_bytes())


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": 3}', b"\xff"])
def test_half_a_file_names_nobody(content: bytes) -> None:
    assert LockOwner.from_bytes(content) is None


def test_processes_of_this_machine_are_known_dead_or_alive() -> None:
    me = LockOwner.of_this_process()
    assert me.is_dead(me) is False
    with subprocess.Popen([sys.executable, "-c", "pass"]) as gone:
        gone.wait()
    assert _with_process(me, pid=gone.pid).is_dead(me) is True
    # The number of a dead process was given to another one since.
    assert _with_process(me, started_ticks=1).is_dead(me) is True


def test_nothing_is_known_of_another_machine() -> None:
    me = LockOwner.of_this_process()
    assert _with_process(me, machine="node7 of yesterday").is_dead(me) is None


@pytest.mark.parametrize(("job", "restarts", "expected"), [("7", "1", True), ("7", "0", None)])
def test_slurm_has_ended_a_job_that_it_starts_again(
    job: str, restarts: str, expected: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    elsewhere = _with_process(LockOwner.of_this_process(), machine="node7")
    monkeypatch.setenv("SLURM_JOB_ID", job)
    monkeypatch.setenv("SLURM_RESTART_COUNT", restarts)
    assert elsewhere.is_dead(LockOwner.of_this_process()) is expected
