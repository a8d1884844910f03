from pathlib import Path

import pytest

from rvos.cluster.batch_script import BatchScript

SCRIPTS = sorted((Path(__file__).parents[2] / "configs" / "slurm").glob("*.sbatch"))
SCRIPT = """#!/bin/bash
#SBATCH --job-name=a
#SBATCH -N2 -n 4
#SBATCH --cpus-per-task 8   # a remark
#SBATCH --requeue

echo start
#SBATCH --nodes=9
# rvos fit -c not_run.yaml
srun --kill-on-bad-exit=1 .venv/bin/rvos fit \\
    -c a.yaml --trainer.devices "$SLURM_NTASKS_PER_NODE" && rvos evaluate mevis a b
python -m rvos predict --shard=1/2
"""


def test_options_end_where_slurm_stops_reading() -> None:
    options = BatchScript.parse(SCRIPT).options
    assert options == {
        "job-name": "a",
        "nodes": "2",
        "ntasks": "4",
        "cpus-per-task": "8",
        "requeue": "",
    }


def test_commands_and_who_starts_them() -> None:
    commands = BatchScript.parse(SCRIPT).commands
    assert [(command.launcher, command.verb) for command in commands] == [
        (("srun", "--kill-on-bad-exit=1"), "fit"),
        ((), "evaluate"),
        ((), "predict"),  # `python -m` is a part of the command
    ]
    assert commands[0].option("-c") == "a.yaml"
    assert commands[2].option("--shard") == "1/2"
    assert commands[0].option("--shard") is None


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("4", 4),
        ("$SLURM_JOB_NUM_NODES", 2),
        ("${SLURM_NTASKS}", 4),
        ("$SLURM_NTASKS_PER_NODE", None),
        ("$OTHER", None),
        (None, None),
    ],
)
def test_numbers_may_be_variables_of_slurm(word: str | None, expected: int | None) -> None:
    assert BatchScript.parse(SCRIPT).value_of(word) == expected


def test_open_quotation_is_no_error() -> None:
    assert BatchScript.parse("echo 'several\nlines'\nsrun rvos fit").commands[0].verb == "fit"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_of_the_package_are_read(path: Path) -> None:
    script = BatchScript.read(path)
    assert script.number("nodes") is not None
    assert script.options["open-mode"] == "append"
    (training,) = [c for c in script.commands if c.verb in {"fit", "predict"}]
    assert training.launcher[0] == "srun"
