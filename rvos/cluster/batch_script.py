"""Reading a batch script: what it asks SLURM for, and which `rvos` commands it starts."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_LONG_NAMES = {
    "-n": "ntasks",
    "-N": "nodes",
    "-c": "cpus-per-task",
    "-J": "job-name",
    "-o": "output",
    "-a": "array",
    "-G": "gpus",
    "-t": "time",
}
_VARIABLES = {
    "SLURM_NTASKS": "ntasks",
    "SLURM_NTASKS_PER_NODE": "ntasks-per-node",
    "SLURM_JOB_NUM_NODES": "nodes",
    "SLURM_NNODES": "nodes",
    "SLURM_CPUS_PER_TASK": "cpus-per-task",
}
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")


@dataclass(frozen=True)
class RvosCommand:
    """One `rvos` command of a script.

    Attributes:
        launcher: The words before ``rvos``, such as ``srun`` and its options.
        verb: The verb.
        arguments: What comes after it.
    """

    launcher: tuple[str, ...]
    verb: str
    arguments: tuple[str, ...]

    def option(self, name: str) -> str | None:
        """Look an option up; the last one counts.

        Args:
            name: With its dashes.

        Returns:
            Its value, None where it is not given.

        >>> RvosCommand((), "fit", ("--a", "1", "--a=2")).option("--a")
        '2'
        """
        value = None
        for position, word in enumerate(self.arguments):
            if word == name and position + 1 < len(self.arguments):
                value = self.arguments[position + 1]
            elif word.startswith(f"{name}="):
                value = word.partition("=")[2]
        return value


@dataclass
class BatchScript:
    """A batch script.

    Attributes:
        options: Long names of what ``#SBATCH`` lines ask for, to their values.
        commands: The `rvos` commands, in order.
        text: The whole script.
    """

    options: dict[str, str] = field(default_factory=dict)
    commands: list[RvosCommand] = field(default_factory=list)
    text: str = ""

    @classmethod
    def read(cls, path: Path) -> "BatchScript":
        """Read a file.

        Args:
            path: The script.

        Returns:
            What it holds.
        """
        return cls.parse(path.read_text(encoding="utf-8", errors="replace"))

    @classmethod
    def parse(cls, text: str) -> "BatchScript":
        r"""Read the text of a script.

        Args:
            text: The text.

        Returns:
            What it holds.

        >>> script = BatchScript.parse("#SBATCH -N 2 --requeue\nsrun rvos fit -c a.yaml")
        >>> script.number("nodes"), script.commands[0].launcher
        (2, ('srun',))
        """
        options: dict[str, str] = {}
        for line in text.splitlines():
            if line.startswith("#SBATCH"):
                options |= dict(_sbatch_options(line))
            elif line.strip() and not line.startswith("#"):
                break  # SLURM reads no further either
        joined = re.sub(r"\\\n", " ", text).splitlines()
        commands = [command for line in joined for command in _rvos_commands(line)]
        return cls(options, commands, text)

    def number(self, name: str, default: int | None = None) -> int | None:
        """Look up what is asked for.

        Args:
            name: Long name of an ``#SBATCH`` option.
            default: What it is where it is not given.

        Returns:
            The number; None where it is neither given nor known.
        """
        text = self.options.get(name, "")
        return int(text) if text.isdigit() else default

    def value_of(self, word: str | None) -> int | None:
        """Read a number on a command line, which may be one of SLURM's variables.

        Args:
            word: Such as ``4`` or ``$SLURM_NTASKS_PER_NODE``.

        Returns:
            The number, None where it cannot be told.

        >>> BatchScript({"nodes": "2"}).value_of("${SLURM_JOB_NUM_NODES}")
        2
        """
        if word is None:
            return None
        variable = _VARIABLE.fullmatch(word)
        if variable:
            return self.number(_VARIABLES.get(variable.group(1), ""))
        return int(word) if word.isdigit() else None


def _sbatch_options(line: str) -> Iterator[tuple[str, str]]:
    words = _split(line.removeprefix("#SBATCH"))
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if word[:2] in _LONG_NAMES and not word.startswith("--"):
            name, equals, value = _LONG_NAMES[word[:2]], word[2:], word[2:].removeprefix("=")
        if not equals and words and not words[0].startswith("-"):
            value = words.pop(0)
        yield name.removeprefix("--"), value


def _rvos_commands(line: str) -> Iterator[RvosCommand]:
    if line.lstrip().startswith("#"):
        return
    for part in re.split(r"&&|\|\||;", line):
        words = _split(part)
        for position, word in enumerate(words[:-1]):
            if Path(word).name == "rvos":
                before = words[:position]
                launcher = tuple(before[:-2] if before[-1:] == ["-m"] else before)
                yield RvosCommand(launcher, words[position + 1], tuple(words[position + 2 :]))
                break


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text, comments=True)
    except ValueError:  # a quotation over several lines
        return text.split()
