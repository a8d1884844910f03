"""`rvos slurm check`: what is wrong with a job or a batch script, within seconds."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rvos.cluster.batch_script import BatchScript
from rvos.cluster.script_faults import script_faults
from rvos.cluster.slurm_faults import (
    address_faults,
    count_faults,
    folder_faults,
    leftover_checkpoint,
    name_fault,
    task_faults,
    worker_fault,
)
from rvos.cluster.slurm_job import SlurmJob, run_scontrol


def main(argv: Sequence[str]) -> int:
    """Check and report.

    Args:
        argv: The arguments after `rvos slurm`.

    Returns:
        0 where nothing is wrong, 1 otherwise.
    """
    options = build_parser().parse_args(argv)
    script = None
    if options.script is not None:
        if not options.script.is_file():
            sys.stderr.write(f"rvos: error: there is no batch script {options.script}\n")
            return 1
        script = BatchScript.read(options.script)
    job = None if script is not None else SlurmJob.from_environment(os.environ)
    if job is None and script is None:
        sys.stdout.write("not in a job of SLURM; to check a script: rvos slurm check FILE.sbatch\n")
    faults = [] if job is None else _job_faults(job)
    if script is not None:
        faults += script_faults(script)
    if job is not None:
        faults += task_faults(job, options.devices, options.nodes)
        faults += worker_fault(job.cpus_per_task, options.workers)
    faults += folder_faults(options.output) + leftover_checkpoint(options.root)
    for fault in dict.fromkeys(faults):
        sys.stdout.write(f"wrong: {fault}\n")
    if not faults:
        where = f"job {job.job_id} on {job.node_list}: " if job is not None else ""
        sys.stdout.write(f"{where}nothing wrong\n")
    return 1 if faults else 0


def build_parser() -> argparse.ArgumentParser:
    """Declare the arguments of `rvos slurm`.

    Returns:
        The parser.

    >>> build_parser().parse_args(["check", "a.sbatch"]).script
    PosixPath('a.sbatch')
    """
    parser = argparse.ArgumentParser(prog="rvos slurm", allow_abbrev=False)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="check")
    check = verbs.add_parser("check", allow_abbrev=False)
    check.add_argument("script", nargs="?", type=Path, metavar="FILE.sbatch")
    check.add_argument("--devices", type=int)
    check.add_argument("--nodes", type=int)
    check.add_argument("--workers", type=int)
    check.add_argument("--output", type=Path, nargs="+", default=[Path("runs")])
    check.add_argument("--root", type=Path, default=Path())
    return parser


def _job_faults(job: SlurmJob) -> list[str]:
    """Look at the job from inside, and at the script that it runs."""
    names, problem = run_scontrol("show", "hostnames", job.node_list)
    if problem:
        return [f"the job's nodes cannot be told ({problem}): is SLURM's bin folder on the PATH?"]
    faults = address_faults(names.split(), is_distributed=job.num_tasks > 1)
    described, _ = run_scontrol("show", "job", job.job_id)
    if "Requeue=0" in described.split():
        faults.append("the job may not be queued again: submit it with --requeue")
    text, problem = run_scontrol("write", "batch_script", job.job_id, "-")
    if problem or not text.strip():
        return faults + count_faults(job.num_tasks, job.tasks_per_node) + name_fault(job.name)
    return faults + script_faults(BatchScript.parse(text), job)
