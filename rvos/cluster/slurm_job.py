"""The SLURM job that this process belongs to, as its environment tells."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

# Lightning takes jobs of these names for a terminal session and ignores SLURM in them.
INTERACTIVE_NAMES = ("bash", "interactive")
_PATIENCE_S = 60


@dataclass(frozen=True)
class SlurmJob:
    """What SLURM's variables say.

    Attributes:
        job_id: Number of the job, of an array's task ``<array>_<task>``.
        name: Its name.
        node_list: Nodes in SLURM's short form, such as ``gpu[1-4]``.
        num_nodes: Number of nodes.
        num_tasks: Number of tasks, which are ranks, on all nodes.
        tasks_per_node: ``--ntasks-per-node``, None where it was not given.
        cpus_per_task: ``--cpus-per-task``, None where it was not given.
        num_restarts: How often the job was queued again.
        by_srun: Whether this process was started by ``srun``.
    """

    job_id: str
    name: str
    node_list: str
    num_nodes: int
    num_tasks: int
    tasks_per_node: int | None
    cpus_per_task: int | None
    num_restarts: int
    by_srun: bool

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "SlurmJob | None":
        """Read the variables.

        Args:
            environment: Those of the process.

        Returns:
            The job, None outside of one.

        >>> SlurmJob.from_environment({"SLURM_JOB_ID": "7", "SLURM_NTASKS": "2"}).num_tasks
        2
        """
        job_id = environment.get("SLURM_JOB_ID")
        if job_id is None:
            return None
        array_id = environment.get("SLURM_ARRAY_JOB_ID")
        if array_id is not None:
            job_id = f"{array_id}_{environment.get('SLURM_ARRAY_TASK_ID', '0')}"
        return cls(
            job_id=job_id,
            name=environment.get("SLURM_JOB_NAME", ""),
            node_list=environment.get("SLURM_JOB_NODELIST", ""),
            num_nodes=_number(environment, "SLURM_JOB_NUM_NODES") or 1,
            num_tasks=_number(environment, "SLURM_NTASKS") or 1,
            tasks_per_node=_number(environment, "SLURM_NTASKS_PER_NODE"),
            cpus_per_task=_number(environment, "SLURM_CPUS_PER_TASK"),
            num_restarts=_number(environment, "SLURM_RESTART_COUNT") or 0,
            by_srun="SLURM_STEP_ID" in environment,
        )

    @property
    def is_interactive(self) -> bool:
        """Whether Lightning takes the job for a terminal session."""
        return self.name in INTERACTIVE_NAMES


def run_scontrol(*words: str) -> tuple[str, str]:
    """Call SLURM's ``scontrol``.

    Args:
        words: Its arguments.

    Returns:
        What it printed, and why it failed (``""`` on success).
    """
    try:
        done = subprocess.run(
            ["scontrol", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_S,
        )
    except FileNotFoundError:
        return "", "there is no scontrol on this machine's PATH"
    except subprocess.TimeoutExpired:
        return "", f"scontrol did not answer within {_PATIENCE_S} s"
    if done.returncode:
        return "", " ".join(done.stderr.split()) or f"scontrol ended with status {done.returncode}"
    return done.stdout, ""


def requeue(job_id: str) -> str:
    """Put a job back into the queue; SLURM then ends what still runs of it.

    Args:
        job_id: The job.

    Returns:
        Why it could not be done, ``""`` if it was.
    """
    return run_scontrol("requeue", job_id)[1]


def _number(environment: Mapping[str, str], name: str) -> int | None:
    text = environment.get(name, "")
    return int(text) if text.isdigit() else None
