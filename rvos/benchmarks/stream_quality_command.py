"""`rvos benchmark streaming`."""

import argparse
from dataclasses import asdict
from pathlib import Path

import rvos
from rvos.benchmarks.arguments import add_json, add_markdown, positive, say, show_table
from rvos.benchmarks.environment import describe_environment, environment_line
from rvos.benchmarks.model_arguments import add_device
from rvos.benchmarks.stream_quality import Contestant, measure_quality, quality_table
from rvos.evaluation.held_out_command import DEFAULT_ROOT, open_split
from rvos.evaluation.score_file import write_report
from rvos.inference.device import choose_device
from rvos.inference.window_plan import OverlappingWindows, PastOnly, WholeVideo, WindowPlan
from rvos.models.referdino import MemoryAugmentedTracker


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the benchmark takes.

    Args:
        parser: Of this kind.
    """
    add = parser.add_argument
    add("--weights", default="tiny", help="'tiny', a path or a hub id")
    add("--tokenizer", help="folder or hub id, where the weights carry none")
    add("--root", type=Path, default=DEFAULT_ROOT, help="folder of the videos")
    add("--videos", type=positive, default=4, metavar="N", help="of the long split, of 10")
    add(
        "--windows", type=positive, nargs="*", default=[24, 64, 128], metavar="N", help="to compare"
    )
    add("--past", type=positive, nargs="*", default=[64], metavar="N", help="causal windows")
    add("--trackers", action="store_true", help="compare the rules of the tracker's memory")
    add("--every", type=positive, default=8, metavar="N", help="score every so many frames")
    add_device(parser)
    add_markdown(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> None:
    """Measure and show.

    Args:
        options: Parsed arguments.

    Raises:
        RvosError: Something that the user can mend.
    """
    device = choose_device(options.device)
    model = rvos.load_model(options.weights, options.tokenizer, device)
    samples = open_split(options.root, "long", options.videos)
    environment = describe_environment(device)
    say(
        f"{options.weights} on MovingShapes, long: {len(samples.videos)} videos, "
        f"{len(samples)} expressions, best track, J&F of every {options.every}th frame\n"
        f"{environment_line(environment)}"
    )
    contestants = list_contestants(options.windows, options.past, options.trackers)
    report = measure_quality(model, samples, contestants, options.every, show_progress=True)
    table = quality_table(report)
    show_table(table, options.markdown)
    if options.json is not None:
        content = {"environment": asdict(environment), "videos": len(samples.videos)}
        write_report(options.json, {**content, **asdict(report)})


def list_contestants(windows: list[int], past: list[int], trackers: bool) -> dict[str, Contestant]:
    """Name the ways to answer that are compared.

    Args:
        windows: Lengths of overlapping windows.
        past: Lengths of windows without look-ahead.
        trackers: Whether the tracker of the paper is compared, with both rules of memory.

    Returns:
        Contestants by name, the published way first.

    Raises:
        WindowError: A length is too small.

    >>> list(list_contestants([24], [8], trackers=False))
    ['exact', 'windowed (24 frames, overlap 12)', 'causal (8 frames)']
    """
    plans: list[WindowPlan] = [
        WholeVideo(),
        *(OverlappingWindows(length, length // 2) for length in windows),
        *(PastOnly(length) for length in past),
    ]
    contestants = {plan.name: Contestant(plan) for plan in plans}
    if trackers:
        for name, locality in (("published tracker", None), ("with locality 4", 4.0)):
            for rule in ("momentum", "mean"):
                tracker = MemoryAugmentedTracker(locality=locality, memory=rule)
                contestants[f"exact, {name}, {rule}"] = Contestant(WholeVideo(), tracker)
    return contestants
