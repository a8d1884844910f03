"""The verb ``rvos moving-shapes``."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rvos.datasets.moving_shapes.actions import ACTIONS
from rvos.datasets.moving_shapes.preset import HELD_OUT, PRESETS
from rvos.datasets.moving_shapes.vocabulary import BENCHMARK_LAYOUTS, KINDS, SPLITS
from rvos.datasets.moving_shapes.writer import write_moving_shapes


def build_parser() -> argparse.ArgumentParser:
    """The options of ``rvos moving-shapes``."""
    parser = argparse.ArgumentParser(
        prog="rvos moving-shapes",
        description="Write MovingShapes, the embedded benchmark: a small world of moving shapes "
        "with exact masks and expressions that are true of it. A run that was interrupted goes on "
        "where it stopped; the same command on a finished folder writes nothing new.",
        epilog="example: rvos moving-shapes data/moving_shapes --split train --num-videos 1000",
    )
    parser.add_argument("dest", metavar="DEST", type=Path, help="folder to write to")
    parser.add_argument(
        "--layout",
        choices=BENCHMARK_LAYOUTS,
        default="mevis",
        help="benchmark whose files to imitate (default: %(default)s); all but mevis hold only "
        "expressions with one target, refcoco only those that a single frame decides",
    )
    parser.add_argument(
        "--split",
        choices=SPLITS,
        default="train",
        help="split to write (default: %(default)s); its folder is named as in the benchmark "
        "(mevis: valid is valid_u); long has videos of 300 frames and more",
    )
    parser.add_argument(
        "--num-videos",
        type=int,
        default=1000,
        metavar="N",
        help="number of videos (default: %(default)s); a larger number later adds videos",
    )
    _add_content_options(parser)
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes that render (default: one per processor)",
    )
    return parser


def _add_content_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides on the content of the videos."""
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="seed of the split (default: %(default)s)"
    )
    parser.add_argument(
        "--preset",
        choices=sorted(PRESETS),
        default=HELD_OUT.name,
        help="rules of the world (default: %(default)s); transfer has other shapes and colours",
    )
    parser.add_argument(
        "--kinds",
        nargs="+",
        choices=KINDS,
        default=list(KINDS),
        metavar="KIND",
        help=f"kinds of expression to write, of {', '.join(KINDS)} (default: all)",
    )
    parser.add_argument(
        "--actions",
        nargs="+",
        choices=ACTIONS,
        default=list(ACTIONS),
        metavar="ACTION",
        help=f"what expressions may say that objects do, of {', '.join(ACTIONS)} (default: all); "
        "look-alikes then do these or the same backwards",
    )
    parser.add_argument(
        "--num-expressions",
        type=int,
        nargs=2,
        default=HELD_OUT.num_expressions,
        metavar=("LEAST", "MOST"),
        help="how many expressions a video has at least and at most (default: 3 8)",
    )


def main(argv: Sequence[str]) -> int:
    """Run ``rvos moving-shapes``.

    Args:
        argv: The arguments after the verb.

    Returns:
        Exit status, 0 if all is written.

    Raises:
        MovingShapesError: The destination holds other data, or an option is out of range.
    """
    options = build_parser().parse_args(argv)
    folder = write_moving_shapes(
        options.dest,
        layout=options.layout,
        split=options.split,
        num_videos=options.num_videos,
        seed=options.seed,
        preset=replace(
            PRESETS[options.preset],
            num_expressions=tuple(options.num_expressions),
            kinds=tuple(options.kinds),
            actions=tuple(action for action in ACTIONS if action in options.actions),
        ),
        workers=options.workers,
    )
    sys.stdout.write(f"{folder}\n")
    return 0
