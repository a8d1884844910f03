"""Types of arguments that several benchmarks take, and where their text goes."""

import argparse
import re
import sys
from pathlib import Path

from rvos.benchmarks.table import Table


def positive(text: str) -> int:
    """Read a whole number from 1.

    Args:
        text: What the user typed.

    Returns:
        The number.

    Raises:
        argparse.ArgumentTypeError: It is none.

    >>> positive("3")
    3
    """
    if not text.isdecimal() or int(text) < 1:
        message = f"{text!r} is not a whole number from 1"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def whole(text: str) -> int:
    """Read a whole number from 0.

    Args:
        text: What the user typed.

    Returns:
        The number.

    Raises:
        argparse.ArgumentTypeError: It is none.

    >>> whole("0")
    0
    """
    if not text.isdecimal():
        message = f"{text!r} is not a whole number from 0"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def size(text: str) -> tuple[int, int]:
    """Read a height and a width in pixels.

    Args:
        text: What the user typed.

    Returns:
        Height and width.

    Raises:
        argparse.ArgumentTypeError: It is not of that form.

    >>> size("360x640")
    (360, 640)
    """
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
    if found is None:
        message = f"{text!r} is not a height and a width, as in 128x192"
        raise argparse.ArgumentTypeError(message)
    return int(found[1]), int(found[2])


def names(text: str) -> tuple[str, ...]:
    """Read names between commas.

    Args:
        text: What the user typed.

    Returns:
        The names in their order.

    >>> names("folded_fusion,bag_sampling")
    ('folded_fusion', 'bag_sampling')
    """
    return tuple(name.strip() for name in text.split(",") if name.strip())


def add_json(parser: argparse.ArgumentParser) -> None:
    """Declare ``--json``, which every benchmark takes.

    Args:
        parser: Of one benchmark.
    """
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")


def add_markdown(parser: argparse.ArgumentParser) -> None:
    """Declare ``--markdown``.

    Args:
        parser: Of one benchmark.
    """
    parser.add_argument(
        "--markdown", action="store_true", help="print tables as docs/benchmarks.md has them"
    )


def say(text: str) -> None:
    """Show text at once, so that it stands before the progress bar that follows.

    Args:
        text: Lines.
    """
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def show_table(table: Table, markdown: bool, title: str | None = None) -> None:
    """Show a table under an empty line and its title.

    Args:
        table: What was measured.
        markdown: Whether ``--markdown`` was given.
        title: One line.

    >>> show_table(Table(["stage", "ms"], [["other", "3"]]), markdown=False)
    <BLANKLINE>
    stage  ms
    other   3
    """
    heading = "" if title is None else f"{title}\n\n"
    say(f"\n{heading}{table.as_markdown() if markdown else table.as_text()}")
