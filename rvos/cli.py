"""The `rvos` command.

A verb's module is imported when the verb runs, never before: torch, transformers and Lightning take
seconds to import, and nobody waits seconds for a help text. The help texts are therefore files in
``rvos/help``; a test compares them with the parsers.
"""

import difflib
import importlib
import importlib.metadata
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_EXIT_USER_ERROR = 1
_EXIT_USAGE = 2
_EXIT_INTERRUPTED = 130
_HELP_FLAGS = {"-h", "--help"}
_FULL_HELP_FLAG = "--help_full"
_LIGHTNING_CLI = "rvos.lightning_cli"


@dataclass(frozen=True)
class Verb:
    """One command of `rvos`.

    Attributes:
        name: What the user types.
        module: Module whose ``main(argv) -> int`` runs it.
        summary: One line for `rvos --help`.
    """

    name: str
    module: str
    summary: str

    @property
    def is_training(self) -> bool:
        """Whether LightningCLI runs the verb; its ``main`` gets the verb's name too."""
        return self.module == _LIGHTNING_CLI

    def read_help(self) -> str:
        """Read the help text, which lies in a file to keep heavy imports out.

        Returns:
            The text that `rvos NAME --help` prints.
        """
        stem = "training" if self.is_training else self.name
        path = Path(__file__).with_name("help") / f"{stem}.txt"
        return path.read_text(encoding="utf-8").replace("{verb}", self.name)

    def run(self, argv: Sequence[str]) -> int:
        """Import the verb's module and run it.

        Args:
            argv: The arguments after the verb.

        Returns:
            The exit status.
        """
        arguments = ["--help" if argument == _FULL_HELP_FLAG else argument for argument in argv]
        if self.is_training:
            arguments.insert(0, self.name)
        status: int = importlib.import_module(self.module).main(arguments)
        return status


# One line per verb; its help text is rvos/help/<verb>.txt, of the training verbs training.txt.
_TABLE = (
    Verb("fit", _LIGHTNING_CLI, "train a model as an experiment file says"),
    Verb("validate", _LIGHTNING_CLI, "measure a checkpoint on the validation split"),
    Verb("test", _LIGHTNING_CLI, "measure a checkpoint on the test split"),
    Verb("predict", _LIGHTNING_CLI, "run a checkpoint over a split without measuring"),
    Verb("segment", "rvos.inference.segment_command", "find what you describe in a video"),
    Verb("convert", "rvos.models.convert_command", "turn any weights into a model folder"),
    Verb("demo", "rvos.demo.command", "learn from moving shapes in minutes and see what changed"),
    Verb("moving-shapes", "rvos.datasets.moving_shapes.command", "write the embedded benchmark"),
    Verb("held-out", "rvos.evaluation.held_out_command", "score weights on its fixed test split"),
    Verb("evaluate", "rvos.evaluation.evaluate_command", "score saved predictions of any method"),
    Verb("data", "rvos.datasets.data_command", "prepare or check a benchmark on disk"),
    Verb("slurm", "rvos.cluster.slurm_command", "say what is wrong with a job or batch script"),
    Verb("runs", "rvos.cluster.runs_command", "list trainings with their state and best metric"),
    Verb("benchmark", "rvos.benchmarks.command", "measure speed and memory on this machine"),
)
VERBS = {verb.name: verb for verb in _TABLE}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and turn what can go wrong into an exit status.

    Args:
        argv: The arguments, those of the process by default.

    Returns:
        0 on success, 1 after an error the user can mend, 2 after a wrong command, 3 after a part of
        the work (see the verb's help), 130 after Ctrl-C.

    Example:
        >>> main(["segmnt", "clip.mp4"])
        2
    """
    # albumentations asks the network for its newest version when it is imported.
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    try:
        status = _dispatch(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted\n")
        return _EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader (`head`, `less`) has left. Python flushes stdout once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_USER_ERROR
    except Exception as error:
        if not _is_user_error(error):
            raise
        sys.stderr.write(f"rvos: error: {error}\n")
        return _EXIT_USER_ERROR
    return status


def _dispatch(argv: list[str]) -> int:
    if not argv:
        sys.stderr.write(_overview())
        return _EXIT_USAGE
    name, *arguments = argv
    if name in _HELP_FLAGS:
        sys.stdout.write(_overview())
        return 0
    if name == "--version":
        sys.stdout.write(f"rvos {importlib.metadata.version('rvos')}\n")
        return 0
    if name not in VERBS:
        sys.stderr.write(_unknown_verb(name))
        return _EXIT_USAGE
    verb = VERBS[name]
    if _HELP_FLAGS.intersection(arguments):
        sys.stdout.write(verb.read_help())
        return 0
    return verb.run(arguments)


def _overview() -> str:
    width = max(len(name) for name in VERBS)
    lines = [f"  {verb.name:<{width}}  {verb.summary}" for verb in VERBS.values()]
    return "\n".join(
        [
            "usage: rvos VERB ...",
            "",
            "Referring video object segmentation: finds what an expression means in a video.",
            "",
            *lines,
            "",
            "  rvos VERB --help    what a verb takes",
            "  rvos --version      the installed version",
            "",
        ]
    )


def _unknown_verb(name: str) -> str:
    matches = difflib.get_close_matches(name, VERBS, n=1)
    remedy = f"Did you mean '{matches[0]}'?" if matches else f"Choose from: {', '.join(VERBS)}."
    return f"rvos: error: there is no verb '{name}'. {remedy}\n"


def _is_user_error(error: Exception) -> bool:
    # Importing the class here would import torch; where nobody has, nobody can have raised it.
    errors = sys.modules.get("rvos.structures.errors")
    return errors is not None and isinstance(error, errors.RvosError)
