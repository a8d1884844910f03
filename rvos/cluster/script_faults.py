"""What may be wrong with a batch script, before it is submitted or when it runs."""

import re
from pathlib import Path

from rvos.cluster.batch_script import BatchScript, RvosCommand
from rvos.cluster.slurm_faults import (
    count_faults,
    device_fault,
    folder_faults,
    leftover_checkpoint,
    name_fault,
    node_fault,
    worker_fault,
)
from rvos.cluster.slurm_job import SlurmJob

TRAINING_VERBS = ("fit", "validate", "test", "predict")


def script_faults(script: BatchScript, job: SlurmJob | None = None) -> list[str]:
    """Look through a script.

    Args:
        script: The script.
        job: The job that it runs as; what was asked for on ``sbatch``'s command line counts.
            Without one the script alone is looked at.

    Returns:
        What is wrong.
    """
    if job is None:
        faults = count_faults(script.number("ntasks"), script.number("ntasks-per-node"))
        faults += name_fault(script.options.get("job-name", ""))
        faults += _restart_faults(script)
    else:
        faults = count_faults(job.num_tasks, job.tasks_per_node) + name_fault(job.name)
        script = _as_it_runs(script, job)
    faults += _gpu_fault(script) + _array_fault(script) + _log_fault(script)
    commands = [command for command in script.commands if command.verb in TRAINING_VERBS]
    if not script.commands:
        faults.append("the script has no rvos command: srun rvos fit -c EXPERIMENT ...")
    for command in commands:
        faults += _command_faults(script, command)
    if _num_nodes(script) > 1 and commands and "MASTER_ADDR=" not in script.text:
        faults.append(
            "several nodes, but no MASTER_ADDR, which Lightning guesses wrongly for some node "
            'lists: export MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | '
            "head -n 1)"
        )
    return list(dict.fromkeys(faults))


def _as_it_runs(script: BatchScript, job: SlurmJob) -> BatchScript:
    counts = {
        "ntasks": job.num_tasks,
        "nodes": job.num_nodes,
        "ntasks-per-node": job.tasks_per_node,
        "cpus-per-task": job.cpus_per_task,
    }
    given = {name: str(count) for name, count in counts.items() if count is not None}
    return BatchScript({**script.options, **given}, script.commands, script.text)


def _restart_faults(script: BatchScript) -> list[str]:
    if not any(command.verb in {"fit", "predict"} for command in script.commands):
        return []
    faults = []
    if "requeue" not in script.options:
        faults.append("no --requeue: a preempted job would not come back; add #SBATCH --requeue")
    signal = script.options.get("signal", "")
    if not re.fullmatch(r"(?:R:)?(?:SIG)?USR1@\d+", signal):
        given = f"--signal={signal} is no SIGUSR1 to the ranks" if signal else "no --signal"
        faults.append(
            f"{given}: at its time limit the job would be killed; add #SBATCH --signal=SIGUSR1@300"
        )
    if script.options.get("open-mode") != "append":
        faults.append(
            "no --open-mode=append: a requeued job would overwrite its log; add "
            "#SBATCH --open-mode=append"
        )
    return faults


def _command_faults(script: BatchScript, command: RvosCommand) -> list[str]:
    tasks_per_node = script.number("ntasks-per-node")
    num_nodes = _num_nodes(script)
    num_tasks = script.number("ntasks") or (tasks_per_node or 1) * num_nodes
    faults = []
    launchers = [Path(word).name for word in command.launcher]
    if num_tasks > 1 and "srun" not in launchers:
        faults.append(
            f"rvos {command.verb} is started without srun, so one of {num_tasks} tasks would wait "
            "for the others for ever: put srun in front of it"
        )
    elif num_tasks > 1 and not any("kill-on-bad-exit" in word for word in command.launcher):
        faults.append(
            "srun without --kill-on-bad-exit=1: where a rank dies, the others may wait for it"
        )
    devices = script.value_of(command.option("--trainer.devices"))
    faults += device_fault(tasks_per_node, devices)
    nodes = command.option("--trainer.num_nodes")
    faults += node_fault(num_nodes, 1 if nodes is None else script.value_of(nodes))
    workers = script.value_of(command.option("--data.num_workers"))
    faults += worker_fault(script.number("cpus-per-task"), workers)
    if command.verb == "fit" and command.option("--ckpt_path") is None:
        faults.append("rvos fit without --ckpt_path last: a requeued job would begin at step 0")
        root = command.option("--trainer.default_root_dir") or "."
        faults += leftover_checkpoint(Path(root))
    return faults + _path_faults(command)


def _path_faults(command: RvosCommand) -> list[str]:
    faults = [
        f"configuration file {path} does not exist here"
        for flag, path in zip(command.arguments, command.arguments[1:], strict=False)
        if flag in {"-c", "--config"} and "$" not in path and not Path(path).is_file()
    ]
    names = ("--trainer.logger.init_args.save_dir", "--trainer.callbacks.folder")
    folders = [value for name in names if (value := command.option(name)) and "$" not in value]
    return faults + folder_faults([Path(folder) for folder in folders or ["runs"]])


def _gpu_fault(script: BatchScript) -> list[str]:
    tasks = script.number("ntasks-per-node")
    asked = script.options.get("gpus-per-node") or ""
    resources = script.options.get("gres", "")
    asked = asked or (resources if resources.startswith("gpu") else "")
    number = asked.rpartition(":")[2]
    if tasks is None or not number.isdigit() or int(number) == tasks:
        return []
    return [f"{number} GPUs per node for --ntasks-per-node={tasks}: every task uses one GPU"]


def _array_fault(script: BatchScript) -> list[str]:
    alone = [c for c in script.commands if c.verb == "predict" and c.option("--shard") is None]
    if "array" not in script.options or not alone:
        return []
    return [
        "rvos predict in a job array without --shard: every task would predict everything; add "
        "--shard $SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"
    ]


def _log_fault(script: BatchScript) -> list[str]:
    folder = Path(script.options.get("output", "slurm-%j.out")).parent
    if "%" in str(folder) or folder.is_dir():
        return []
    return [f"folder {folder} of the log does not exist, so there would be none: mkdir -p {folder}"]


def _num_nodes(script: BatchScript) -> int:
    return script.number("nodes") or 1
