"""What needs no second rank; tests/integration/test_dying_ranks.py has two."""

from unittest.mock import Mock

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.trainer.states import RunningStage
from torch.distributed import DistBackendError

from rvos.cluster.preemption import PreemptionStop
from rvos.cluster.rank_watch import RankWatch, is_peer_failure, lost_rank
from rvos.cluster.stop_signals import StopRequest


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer"), True),
        (RuntimeError("Connection reset by peer"), True),
        (ConnectionError("Broken pipe"), True),
        (DistBackendError("NCCL error"), True),
        (RuntimeError("CUDA out of memory"), False),
        (ValueError("connection closed by peer"), False),
    ],
)
def test_errors_that_only_follow(error: Exception, expected: bool) -> None:
    assert is_peer_failure(error) is expected


def test_following_error_is_one_short_line() -> None:
    text = str(lost_rank(RuntimeError("gloo\n" + "x" * 5000)))
    assert "\n" not in text
    assert len(text) < 260


TASK = Mock(spec=LightningModule)


def make_trainer(world_size: int) -> Trainer:
    trainer = Mock(spec=Trainer)
    trainer.configure_mock(world_size=world_size, global_rank=1, global_step=412)
    trainer.state, trainer.strategy = Mock(stage=RunningStage.TESTING), Mock()
    trainer.strategy.launcher.procs = []
    return trainer


def test_run_of_one_rank_is_left_alone() -> None:
    watch = RankWatch()
    watch.setup(make_trainer(1), TASK, "fit")
    assert watch._watch is None


def test_phases_have_names() -> None:
    watch, trainer, none = RankWatch(), make_trainer(2), None
    optimizer = torch.optim.SGD([torch.zeros(1)])
    watch.setup(trainer, TASK, "fit")
    thread = watch._watch
    assert thread is not None
    try:
        seen = []
        hooks: list[tuple[str, tuple[object, ...]]] = [
            ("on_train_batch_start", (none, 0)),
            ("on_before_backward", (torch.zeros(()),)),
            ("on_before_optimizer_step", (optimizer,)),
            ("on_train_batch_end", (none, none, 0)),
            ("on_save_checkpoint", ({},)),
            ("on_test_batch_start", (none, 3)),
            ("on_test_batch_end", (none, none, 3)),
        ]
        for hook, arguments in hooks:
            getattr(watch, hook)(trainer, TASK, *arguments)
            seen.append((thread.phase.name, thread.phase.place, thread.phase.waits))
    finally:
        watch.teardown(trainer, TASK, "fit")
        thread.join(60)
    assert seen == [
        ("training_step", "step 412", False),
        ("backward", "step 412", True),
        ("optimizer_step", "step 412", True),
        ("logging, saving and loading", "step 412", True),
        ("saving a checkpoint", "step 412", True),
        ("test_step", "batch 3", False),
        ("the end of test_step", "batch 3", True),
    ]
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (ValueError("mine"), 1),
        (RuntimeError("gloo: Connection closed by peer"), 0),
        (PreemptionStop(StopRequest.REQUEUE, is_first=True), 0),
        (KeyboardInterrupt(), 0),
    ],
)
def test_first_failure_is_announced(
    error: BaseException, lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    watch, trainer = RankWatch(), make_trainer(2)
    watch.setup(trainer, TASK, "fit")
    thread = watch._watch
    assert thread is not None
    watch.on_train_batch_start(trainer, TASK, None, 0)
    watch.on_exception(trainer, TASK, error)
    thread.stop()
    thread.join(60)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == lines
    assert all("rank 1 on " in line and "training_step` of step 412" in line for line in told)
