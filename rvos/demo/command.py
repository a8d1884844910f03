"""`rvos demo`: learn from moving shapes in minutes, and show what changed."""

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from rvos.demo.run import run_demo
from rvos.demo.settings import DemoSettings

_EXIT_INTERRUPTED = 130


def main(argv: Sequence[str]) -> int:
    """Run `rvos demo`.

    Args:
        argv: The arguments after the verb.

    Returns:
        The exit status, 130 after Ctrl-C.

    Raises:
        RvosError: Something that the user can mend.
    """
    options = build_parser().parse_args(argv)
    settings = dataclasses.replace(
        DemoSettings(),
        weights=options.weights,
        seed=options.seed,
        num_steps=options.steps,
        num_training_videos=options.videos,
    )
    try:
        run_demo(settings, options.output)
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted; the same command goes on where it stopped\n")
        return _EXIT_INTERRUPTED
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Declare the arguments of `rvos demo`.

    Returns:
        The parser.

    >>> build_parser().parse_args(["--seed", "1"]).seed
    1
    """
    parser = argparse.ArgumentParser(prog="rvos demo", allow_abbrev=False)
    add = parser.add_argument
    add("--output", type=Path, default=Path("demo"), help="folder of everything it makes")
    add("--seed", type=_not_negative, default=DemoSettings.seed, help="of videos and training")
    add("--steps", type=_positive, default=DemoSettings.num_steps, help="optimizer steps")
    add("--videos", type=_positive, default=DemoSettings.num_training_videos, help="to learn from")
    add("--weights", default=DemoSettings.weights, help="where it starts from")
    return parser


def _not_negative(text: str) -> int:
    return _number(text, 0)


def _positive(text: str) -> int:
    return _number(text, 1)


def _number(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        message = f"{text!r} is not a whole number from {least}"
        raise argparse.ArgumentTypeError(message)
    return int(text)
