import subprocess
import sys
import time

import pytest

from rvos.cluster.step_watch import StepWatch, _is_in_collective

PATIENCE_S = 120


def watch(**options: object) -> StepWatch:
    settings = {"rank": 1, "host": "node2", "timeout_s": 300.0, **options}
    return StepWatch(**settings)  # type: ignore[arg-type]


def test_rank_that_works_for_too_long_is_named_with_its_stack() -> None:
    watched = watch()
    watched.enter("training_step", "step 412", waits=False)
    assert watched.problem(watched.phase.since + 300) is None
    problem = watched.problem(watched.phase.since + 301)
    assert problem is not None
    first, *stack = problem.splitlines()
    assert first == (
        "rank 1 on node2 has not left `training_step` of step 412 for 301 s; it is here:"
    )
    assert any("in test_rank_that_works_for_too_long" in line for line in stack)


def test_rank_that_waits_may_take_longer() -> None:
    watched = watch()
    watched.enter("backward", "step 3", waits=True)
    assert watched.problem(watched.phase.since + 301) is None
    problem = watched.problem(watched.phase.since + 376)
    assert problem is not None
    assert problem.endswith("`backward` of step 3 for 376 s, where it waits for the other ranks")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("site-packages/torch/distributed/distributed_c10d.py", True),
        ("site-packages/torch/nn/parallel/distributed.py", True),
        ("site-packages/torch/nn/modules/module.py", False),
    ],
)
def test_collective_within_a_step_is_waiting(path: str, expected: bool) -> None:
    names = {"get": sys._getframe}
    exec(compile("frame = get()", f"/{path}", "exec"), names)
    assert _is_in_collective(names["frame"]) is expected  # type: ignore[arg-type]
    assert not _is_in_collective(None)


def test_next_phase_begins_anew() -> None:
    watched = watch()
    watched.enter("training_step", "step 1", waits=False)
    late = watched.phase.since + 301
    watched.enter("backward", "step 1", waits=True)
    assert watched.problem(late) is None


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("raise SystemExit(9)", "rank 1 ended with status 9"),
        ("import os; os.kill(os.getpid(), 9)", "rank 1 was killed by SIGKILL (out of memory?)"),
        ("import os; os.kill(os.getpid(), 11)", "rank 1 was killed by SIGSEGV"),
    ],
)
def test_child_that_ends_is_named(script: str, told: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", script])
    child.wait(PATIENCE_S)
    problem = watch(rank=0, children=[child]).problem(time.monotonic())
    assert problem is not None
    assert problem.startswith(told)


@pytest.mark.parametrize("status", [0, 130])
def test_child_that_ends_well_or_by_ctrl_c_is_none(status: int) -> None:
    child = subprocess.Popen([sys.executable, "-c", f"raise SystemExit({status})"])
    child.wait(PATIENCE_S)
    assert watch(rank=0, children=[child]).problem(time.monotonic()) is None


def test_process_that_does_not_end_shows_its_error() -> None:
    watched = watch()
    watched.expect_end(ValueError("the first error"), grace_s=20.0)
    assert watched.problem(time.monotonic()) is None
    problem = watched.problem(time.monotonic() + 21)
    assert problem is not None
    assert problem.endswith("ValueError: the first error")


def test_thread_ends_the_process(capfd: pytest.CaptureFixture[str]) -> None:
    statuses: list[int] = []
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    gone = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    gone.wait(PATIENCE_S)
    watched = watch(rank=0, children=[gone, other], leave=statuses.append)
    watched.start()
    watched.join(PATIENCE_S)
    assert statuses == [1]
    assert other.wait(PATIENCE_S) == -9
    assert "rvos: error: rank 1 ended with status 3" in capfd.readouterr().err


def test_thread_stops_when_told() -> None:
    watched = watch()
    watched.start()
    watched.stop()
    watched.join(PATIENCE_S)
    assert not watched.is_alive()


def test_orphan_ends() -> None:
    watched = watch(has_parent=True)
    assert watched.problem(time.monotonic()) is None
    watched._parent = -1
    problem = watched.problem(time.monotonic())
    assert problem is not None
    assert "is gone" in problem
