"""Where a run takes place, without anything secret."""

import importlib.metadata
import os
import platform
from collections.abc import Mapping
from pathlib import Path

import torch

from rvos.structures.run_record import RunEnvironment

# Named one by one: what else is in an environment may be a password.
RECORDED_VARIABLES = (
    "SLURM_JOB_ID",
    "SLURM_JOB_NAME",
    "SLURM_JOB_PARTITION",
    "SLURM_JOB_NODELIST",
    "SLURM_JOB_NUM_NODES",
    "SLURM_ARRAY_JOB_ID",
    "SLURM_ARRAY_TASK_ID",
    "SLURM_NTASKS",
    "SLURM_NTASKS_PER_NODE",
    "SLURM_CPUS_PER_TASK",
    "SLURM_GPUS_PER_NODE",
    "SLURM_RESTART_COUNT",
    "SLURM_CLUSTER_NAME",
    "CUDA_VISIBLE_DEVICES",
    "CUBLAS_WORKSPACE_CONFIG",
    "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_ALLOC_CONF",
    "NCCL_SOCKET_IFNAME",
    "NCCL_IB_DISABLE",
    "GLOO_SOCKET_IFNAME",
    "OMP_NUM_THREADS",
    "HF_HUB_OFFLINE",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
)


def describe_environment(
    num_ranks: int, num_nodes: int, variables: Mapping[str, str] = os.environ
) -> RunEnvironment:
    """Describe this machine and the place of the run on it.

    Args:
        num_ranks: Processes that take part.
        num_nodes: Machines that take part.
        variables: Environment variables, of which the chosen ones are taken over.

    Returns:
        The description.

    >>> describe_environment(1, 1, {"OMP_NUM_THREADS": "2", "API_TOKEN": "secret"}).variables
    {'OMP_NUM_THREADS': '2'}
    """
    return RunEnvironment(
        platform=platform.platform(),
        python=platform.python_version(),
        cpu=_cpu_model(),
        num_cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1,
        gpus=_describe_gpus(),
        cuda=torch.version.cuda,
        num_ranks=num_ranks,
        num_nodes=num_nodes,
        variables={name: variables[name] for name in RECORDED_VARIABLES if name in variables},
    )


def list_packages() -> dict[str, str]:
    """List what is installed.

    Returns:
        Name to version, sorted by name.

    >>> "torch" in list_packages()
    True
    """
    found = {each.name: each.version for each in importlib.metadata.distributions()}
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())


def _describe_gpus() -> list[str]:
    # Of a machine without a driver nothing is asked, which could print a warning.
    if not torch.cuda.is_available():
        return []
    found = (torch.cuda.get_device_properties(n) for n in range(torch.cuda.device_count()))
    return [f"{each.name}, {each.total_memory / 2**30:.0f} GiB" for each in found]
