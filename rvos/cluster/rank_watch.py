"""A rank that dies, or hangs, ends the run of all ranks, and the log names it."""

import re
import socket
import sys
import threading
from typing import Any

from lightning.fabric.strategies.launchers.subprocess_script import _ChildProcessObserver
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import RunningStage
from torch import Tensor
from torch.distributed import DistError
from torch.optim import Optimizer

from rvos.cluster.preemption import PreemptionStop
from rvos.cluster.step_watch import StepWatch
from rvos.structures.errors import RvosError

# What gloo and NCCL say where another rank is gone; gloo's errors have no class of their own.
_PEER_PHRASES = re.compile(
    r"gloo|connection (was )?(closed|reset|refused)|broken pipe|socket (closed|timeout)|"
    r"remote process exited|nccl (communicator was aborted|watchdog)",
    re.IGNORECASE,
)
_SECONDS_TO_END = 20.0


class LostRankError(RvosError):
    """Another rank is gone; its own message is the one to read."""


class RankWatch(Callback):
    """Watch the ranks of a run of several; a run of one is left alone.

    Args:
        timeout_s: Seconds that one step, one batch of an evaluation, or a wait for the other ranks
            may take (waiting a quarter more). Less than the 30 minutes of torch's process groups,
            whose message does not say what the rank was doing.
    """

    def __init__(self, timeout_s: float = 1200.0) -> None:
        self.timeout_s = timeout_s
        self._watch: StepWatch | None = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Begin to watch."""
        del pl_module, stage
        if trainer.world_size == 1:
            return
        children = getattr(trainer.strategy.launcher, "procs", [])
        environment = getattr(trainer.strategy, "cluster_environment", None)
        outside = environment is not None and environment.creates_processes_externally
        self._watch = StepWatch(
            rank=trainer.global_rank,
            host=socket.gethostname(),
            timeout_s=self.timeout_s,
            children=children,
            # Lightning's launcher, in the first rank, has started the others of its machine.
            has_parent=not outside and not children,
        )
        self._watch.start()
        _dismiss_observer()

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: object, batch_idx: int
    ) -> None:
        """The forward pass begins."""
        del pl_module, batch, batch_idx
        self._enter("training_step", trainer, waits=False)

    def on_before_backward(
        self, trainer: Trainer, pl_module: LightningModule, loss: Tensor
    ) -> None:
        """The backward pass begins, which averages gradients over the ranks."""
        del pl_module, loss
        self._enter("backward", trainer)

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        """The gradients are there."""
        del pl_module, optimizer
        self._enter("optimizer_step", trainer)

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Until the next batch is there."""
        del pl_module, outputs, batch, batch_idx
        self._enter("logging, saving and loading", trainer)

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """The first rank writes, the others wait."""
        del pl_module, checkpoint
        self._enter("saving a checkpoint", trainer)

    def on_validation_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: object,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """A batch of an evaluation begins."""
        del pl_module, batch, dataloader_idx
        self._enter(f"{_stage(trainer)}_step", trainer, f"batch {batch_idx}", waits=False)

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Until the next batch is there, or all ranks are through."""
        del pl_module, outputs, batch, dataloader_idx
        self._enter(f"the end of {_stage(trainer)}_step", trainer, f"batch {batch_idx}")

    on_test_batch_start = on_predict_batch_start = on_validation_batch_start
    on_test_batch_end = on_predict_batch_end = on_validation_batch_end

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Say which rank fails first and make sure that it ends."""
        del pl_module
        watch, self._watch = self._watch, None
        if watch is None:
            return
        if isinstance(exception, PreemptionStop | KeyboardInterrupt):
            watch.stop()
            return
        if not is_peer_failure(exception) and not isinstance(exception, SystemExit):
            where = f"`{watch.phase.name}` of {watch.phase.place}"
            line = f"rank {watch.rank} on {watch.host} fails in {where}; the other ranks will stop"
            sys.stderr.write(f"rvos: {line}\n")
            sys.stderr.flush()
        watch.expect_end(exception, _SECONDS_TO_END)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Watch no longer."""
        del trainer, pl_module, stage
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    def _enter(
        self, name: str, trainer: Trainer, place: str | None = None, waits: bool = True
    ) -> None:
        if self._watch is not None:
            self._watch.enter(name, place or f"step {trainer.global_step}", waits)


def is_peer_failure(error: BaseException) -> bool:
    """Tell whether an error only says that another rank is gone.

    Args:
        error: What a rank failed with.

    Returns:
        Whether another rank has failed before.

    >>> is_peer_failure(RuntimeError("[gloo/tcp/pair.cc:547] Connection closed by peer [::1]:9"))
    True
    >>> is_peer_failure(RuntimeError("shapes do not match"))
    False
    """
    if isinstance(error, DistError):
        return True
    known = isinstance(error, RuntimeError | ConnectionError)
    return known and _PEER_PHRASES.search(str(error)) is not None


def lost_rank(error: BaseException) -> LostRankError:
    """Say in one line what a failed collective operation says in many.

    Args:
        error: What this rank failed with.

    Returns:
        The error for the log.
    """
    reason = " ".join(str(error).split())[:160]
    message = f"this rank stops, because another one is gone: read the first error ({reason})"
    return LostRankError(message)


def _dismiss_observer() -> None:
    """Take Lightning's own watch off the children: it kills this process, too, without a word."""
    for thread in threading.enumerate():
        if isinstance(thread, _ChildProcessObserver):
            thread._child_processes = []


def _stage(trainer: Trainer) -> str:
    names = {RunningStage.TESTING: "test", RunningStage.PREDICTING: "predict"}
    stage = trainer.state.stage
    return "validation" if stage is None else names.get(stage, "validation")
