"""A process that loads data is killed: one line with cause and remedy, and no hang."""

from pathlib import Path

import pytest
from broken_runs import command, fault, run

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("verb", "point"), [("fit", "training batch"), ("test", "test batch")])
def test_run_ends_with_cause_and_remedy(
    verb: str, point: str, shapes: Path, tmp_path: Path
) -> None:
    words = command(verb, shapes, *fault("KillWorker", point, number=1), "--data.num_workers", "2")
    ended = run(tmp_path, words)
    assert ended.status == 1, ended.err
    told = ended.told()
    assert "a process that loads data (pid " in told
    assert "memory ran out: use fewer (--data.num_workers)" in told
