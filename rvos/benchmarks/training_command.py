"""`rvos benchmark training`."""

import argparse
import functools
from pathlib import Path

import torch

from rvos.benchmarks.arguments import add_json, add_markdown, names, positive, say, show_table, size
from rvos.benchmarks.benchmark_model import load_model
from rvos.benchmarks.environment import describe_environment, environment_line
from rvos.benchmarks.model_arguments import add_model_arguments
from rvos.benchmarks.training import headline, measure_training
from rvos.benchmarks.training_step import TrainingRequest
from rvos.benchmarks.training_table import training_as_json, training_tables
from rvos.evaluation.score_file import write_report
from rvos.inference.device import choose_device
from rvos.models.referdino import ReferDINO
from rvos.models.referdino.initialization import initialise_from_scratch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the benchmark takes.

    Args:
        parser: Of this kind.
    """
    add = parser.add_argument
    defaults = TrainingRequest()
    add_model_arguments(parser)
    add("--batch-size", type=positive, default=defaults.num_clips, help="clips")
    add("--frames", type=positive, default=defaults.num_frames, help="per clip")
    add("--size", type=size, default=(defaults.height, defaults.width), help="height x width")
    add("--repeats", type=positive, default=defaults.num_repeats, help="measured steps")
    add("--precision", choices=("float32", "bfloat16"), default=defaults.precision)
    add("--checkpoint", action="store_true", help="also measure with activations recomputed")
    add("--off", type=names, default=(), metavar="LEVERS", help="names between commas")
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
    height, width = options.size
    request = TrainingRequest(
        num_clips=options.batch_size,
        num_frames=options.frames,
        height=height,
        width=width,
        num_repeats=options.repeats,
        precision=options.precision,
        off=options.off,
        checkpointed=options.checkpoint,
    )
    make_model = functools.partial(
        untrained_model,
        options.weights,
        options.tokenizer,
        options.architecture,
        options.config,
    )
    name = name_of_model(options.weights, options.architecture, options.config)
    environment = describe_environment(device)
    say(f"{headline(request, name)}\n{environment_line(environment)}")
    report = measure_training(make_model, request, device, show_progress=True)
    for title, table in training_tables(report).items():
        show_table(table, options.markdown, title)
    say(f"\nlevers: {', '.join(report.levers)}")
    if options.json is not None:
        write_report(options.json, training_as_json(report, name, environment))


def untrained_model(
    weights: str, tokenizer: str | None, architecture: str | None, config: Path | None
) -> ReferDINO:
    """Make the model that the arguments name; random weights get scales that train.

    Args:
        weights: Name, path or hub id; what counts if the others are None.
        tokenizer: Folder or hub id, where the weights carry none.
        architecture: Random weights in this architecture.
        config: Random weights as this file says.

    Returns:
        The same weights at every call.
    """
    torch.manual_seed(0)
    _, model = load_model(weights, tokenizer, architecture, config)
    if architecture is not None or config is not None:
        initialise_from_scratch(model.grounder, model.temporal_enhancer, model.mask_head)
    return model


def name_of_model(weights: str, architecture: str | None, config: Path | None) -> str:
    """Say which model the arguments name.

    Args:
        weights: Name, path or hub id; what counts if the others are None.
        architecture: Random weights in this architecture.
        config: Random weights as this file says.

    >>> name_of_model("tiny", "swin_tiny", None)
    'swin_tiny, random weights'
    """
    if config is not None:
        return f"{config.stem}, random weights"
    return weights if architecture is None else f"{architecture}, random weights"
