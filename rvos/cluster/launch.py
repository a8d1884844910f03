"""What every run gets so that it behaves on a cluster."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.pytorch import Trainer

from rvos.cluster.preemption import Preemption
from rvos.cluster.rank_watch import RankWatch
from rvos.cluster.slurm_faults import launch_faults, leftover_checkpoint, task_faults
from rvos.cluster.slurm_job import SlurmJob
from rvos.structures.errors import RvosError


class ClusterError(RvosError):
    """A job that would hang, or do something else than it was meant to."""


def cluster_options(trainer: Mapping[str, Any]) -> dict[str, Any]:
    """Add the callbacks of this package to a trainer's options, and SLURM without its handlers.

    Args:
        trainer: The options; callbacks and plugins in them stay.

    Returns:
        The options that change.

    Raises:
        ClusterError: The job is set up so that its ranks would not find each other.
    """
    job = SlurmJob.from_environment(os.environ)
    if job is not None:
        _refuse(launch_faults(job))
    callbacks, plugins = _listed(trainer.get("callbacks")), _listed(trainer.get("plugins"))
    # First, so that nothing that another callback waits in comes before them.
    own = [RankWatch(), Preemption()]
    added = [each for each in own if not any(isinstance(c, type(each)) for c in callbacks)]
    options: dict[str, Any] = {"callbacks": [*added, *callbacks]}
    has_environment = any(isinstance(plugin, ClusterEnvironment) for plugin in plugins)
    if job is not None and not job.is_interactive and not has_environment:
        # Lightning's own handler saves right there, where ranks may be out of step.
        options["plugins"] = [*plugins, SLURMEnvironment(auto_requeue=False)]
    return options


def check_job(trainer: Trainer, ckpt_path: str | None) -> None:
    """Refuse what Lightning would do silently, or explain wrongly.

    Args:
        trainer: The trainer.
        ckpt_path: The checkpoint that was asked for.

    Raises:
        ClusterError: Tasks and devices do not match, or a left-over checkpoint would be taken up.
    """
    job = SlurmJob.from_environment(os.environ)
    if job is None or job.is_interactive:
        return
    faults = task_faults(job, trainer.num_devices, trainer.num_nodes)
    if ckpt_path is None:
        faults += leftover_checkpoint(Path(trainer.default_root_dir))
    _refuse(faults)


def _refuse(faults: Sequence[str]) -> None:
    if faults:
        raise ClusterError("; ".join(faults))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
