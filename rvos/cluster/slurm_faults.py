"""What may be wrong with a job of SLURM, one line each with its remedy."""

import contextlib
import os
import socket
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from pathlib import Path

from rvos.cluster.slurm_job import INTERACTIVE_NAMES, SlurmJob

_NAME_PATIENCE_S = 15
_SCONTROL_NODES = 'MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)'


def launch_faults(job: SlurmJob) -> list[str]:
    """Look at how the processes of a run were started.

    Args:
        job: The job of this process.

    Returns:
        What is wrong.
    """
    faults = []
    if job.num_tasks > 1 and not job.by_srun:
        faults.append(
            f"the job has {job.num_tasks} tasks, but this command runs without srun and would wait "
            "for the others for ever: put srun in front of it"
        )
    return faults + count_faults(job.num_tasks, job.tasks_per_node) + name_fault(job.name)


def count_faults(num_tasks: int | None, tasks_per_node: int | None) -> list[str]:
    """Look at how the number of tasks is given.

    Args:
        num_tasks: ``--ntasks``.
        tasks_per_node: ``--ntasks-per-node``.

    Returns:
        What is wrong.

    >>> count_faults(8, 4)
    []
    """
    if tasks_per_node is not None or num_tasks is None or num_tasks == 1:
        return []
    return [
        f"--ntasks={num_tasks} without --ntasks-per-node, which Lightning needs: give "
        "--nodes and --ntasks-per-node (tasks per node = GPUs per node) instead"
    ]


def name_fault(name: str) -> list[str]:
    """Look at the job's name.

    Args:
        name: The name.

    Returns:
        What is wrong.
    """
    if name not in INTERACTIVE_NAMES:
        return []
    return [
        f"the job is called {name!r}, for which Lightning ignores SLURM and runs every task by "
        "itself: give another --job-name"
    ]


def task_faults(job: SlurmJob, num_devices: int | None, num_nodes: int | None) -> list[str]:
    """Compare the job with the trainer.

    Args:
        job: The job.
        num_devices: The trainer's devices per node, None where not known.
        num_nodes: Its nodes, None where not known.

    Returns:
        What is wrong.
    """
    return device_fault(job.tasks_per_node, num_devices) + node_fault(job.num_nodes, num_nodes)


def device_fault(tasks_per_node: int | None, num_devices: int | None) -> list[str]:
    """Compare tasks and devices: every task is one rank with one device.

    Args:
        tasks_per_node: ``--ntasks-per-node``.
        num_devices: ``--trainer.devices``.

    Returns:
        What is wrong.

    >>> device_fault(4, 4)
    []
    """
    if tasks_per_node is None or num_devices is None or tasks_per_node == num_devices:
        return []
    return [
        f"--ntasks-per-node={tasks_per_node}, but the trainer uses {num_devices} devices per node: "
        "make them equal (--trainer.devices $SLURM_NTASKS_PER_NODE)"
    ]


def node_fault(job_nodes: int, trainer_nodes: int | None) -> list[str]:
    """Compare the numbers of nodes.

    Args:
        job_nodes: ``--nodes``.
        trainer_nodes: ``--trainer.num_nodes``.

    Returns:
        What is wrong.
    """
    if trainer_nodes is None or job_nodes == trainer_nodes:
        return []
    return [
        f"--nodes={job_nodes}, but the trainer uses {trainer_nodes}: make them equal "
        "(--trainer.num_nodes $SLURM_JOB_NUM_NODES)"
    ]


def leftover_checkpoint(folder: Path) -> list[str]:
    """Look for checkpoints that Lightning resumes from without being asked.

    Args:
        folder: The trainer's ``default_root_dir``.

    Returns:
        What is wrong.
    """
    return [
        f"{path} would be resumed from silently: delete it, or name it with --ckpt_path"
        for path in sorted(folder.glob("hpc_ckpt_*.ckpt"))[-1:]
    ]


def worker_fault(cpus_per_task: int | None, num_workers: int | None) -> list[str]:
    """Compare the CPUs of a task with what runs in it.

    Args:
        cpus_per_task: ``--cpus-per-task``, None = one.
        num_workers: ``--data.num_workers``.

    Returns:
        What is wrong.

    >>> worker_fault(8, 7)
    []
    """
    if num_workers is None or num_workers + 1 <= (cpus_per_task or 1):
        return []
    return [
        f"--data.num_workers {num_workers} needs --cpus-per-task={num_workers + 1} (one for the "
        f"training itself), but a task has {cpus_per_task or 1}"
    ]


def folder_faults(folders: Sequence[Path]) -> list[str]:
    """Try to write where a run will write.

    Args:
        folders: Folders, which need not exist yet.

    Returns:
        What is wrong.
    """
    faults = []
    for folder in folders:
        existing = folder.absolute()
        while not existing.exists():
            existing = existing.parent
        try:
            with tempfile.NamedTemporaryFile(dir=existing, prefix=".rvos-check-"):
                pass
        except OSError as error:
            reason = error.strerror or error
            faults.append(f"cannot write to {folder} ({reason}): choose another folder")
    return faults


def address_faults(hosts: Sequence[str], is_distributed: bool) -> list[str]:
    """Look at where the ranks are to meet.

    Args:
        hosts: The job's nodes, in order.
        is_distributed: Whether there is more than one rank.

    Returns:
        What is wrong.
    """
    unknown = unresolvable(hosts)
    faults = [
        f"node name {host} cannot be resolved, so the ranks could not find each other: ask the "
        "cluster's administrators, or leave the node out with --exclude"
        for host in unknown
    ]
    if not is_distributed:
        return faults
    address, port = os.environ.get("MASTER_ADDR"), os.environ.get("MASTER_PORT")
    if address is None and len(hosts) > 1:
        faults.append(f"MASTER_ADDR is not set: export {_SCONTROL_NODES}")
    elif address is not None and hosts and not _is_same_host(address, hosts[0]):
        faults.append(
            f"MASTER_ADDR is {address}, but rank 0 runs on {hosts[0]}: export {_SCONTROL_NODES}"
        )
    if port is not None and not (port.isdigit() and 1024 <= int(port) <= 65535):
        faults.append(f"MASTER_PORT is {port!r}: choose a number from 1024 to 65535")
    elif port is not None and _is_taken(int(port), hosts):
        faults.append(f"MASTER_PORT {port} is in use on this node: choose another one")
    return faults


def unresolvable(hosts: Sequence[str]) -> list[str]:
    """Look names up, all at once and not for ever.

    Args:
        hosts: The names.

    Returns:
        Those that have no address.

    >>> unresolvable(["localhost"])
    []
    """
    pool = ThreadPoolExecutor(max_workers=max(1, min(len(hosts), 32)))
    lookups = [(host, pool.submit(socket.getaddrinfo, host, None)) for host in hosts]
    unknown = []
    for host, lookup in lookups:
        try:
            lookup.result(timeout=_NAME_PATIENCE_S)
        except (OSError, Late):
            unknown.append(host)
    pool.shutdown(wait=False, cancel_futures=True)
    return unknown


def _is_same_host(address: str, host: str) -> bool:
    if address.partition(".")[0] == host.partition(".")[0]:
        return True
    found: list[set[object]] = []
    for name in (address, host):
        with contextlib.suppress(OSError):
            found.append({info[4][0] for info in socket.getaddrinfo(name, None)})
    # Names that cannot be looked up are another line of the report.
    return len(found) < 2 or bool(found[0] & found[1])


def _is_taken(port: int, hosts: Sequence[str]) -> bool:
    if not hosts or not _is_same_host(socket.gethostname(), hosts[0]):
        return False
    with socket.socket() as probe:
        # As torch's store does: an address in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return True
    return False
