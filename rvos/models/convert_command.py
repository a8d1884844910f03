"""`rvos convert`: any supported weights into a folder that needs nothing else."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from rvos.checkpoints.new_folder import check_destination, new_folder
from rvos.checkpoints.report import LoadReport, WeightsMismatchError, compare_weights
from rvos.models.grounding_dino import ExpressionTokenizer
from rvos.models.grounding_dino.prompt import DELIMITER_IDS, ExpressionError
from rvos.models.loading import LoadedModel, load_with_report
from rvos.models.referdino import ReferDINO
from rvos.models.weight_sources import open_weights

DTYPES = {"float32": torch.float32, "float16": torch.float16}
# What GroundingDINO does not have: everything after it, and the norm of its stride-4 feature.
_MAY_BE_NEW = re.compile(
    r"grounder\.image_encoder\.backbone\.hidden_states_norms\.stage1\.|temporal_enhancer\."
    # transformers freezes batch norm and drops its counter.
    r"|pixel_decoder\.|mask_head\.|.*\.num_batches_tracked$"
)
_MOST_NAMES = 6


def main(argv: Sequence[str]) -> int:
    """Run `rvos convert`.

    Args:
        argv: The arguments after the verb.

    Returns:
        The exit status.

    Raises:
        RvosError: Something that the user can mend.
    """
    options = build_parser().parse_args(argv)
    check_destination(options.destination, options.overwrite)
    # New parts are the same in every run.
    torch.manual_seed(options.seed)
    try:
        loaded = load_anything(options.source)
    except WeightsMismatchError as error:
        _say(f"{error.report.table()}\n")
        raise
    choose_tokenizer(loaded.model, options.tokenizer, options.without_tokenizer)
    with new_folder(options.destination, options.overwrite) as folder:
        loaded.model.save_pretrained(folder, DTYPES[options.dtype])
    _say(f"{summary(loaded.report)}\nwritten to {options.destination}")
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Declare the arguments of `rvos convert`.

    Returns:
        The parser.

    >>> build_parser().parse_args(["x.pth", "folder"]).dtype
    'float32'
    """
    parser = argparse.ArgumentParser(prog="rvos convert", allow_abbrev=False)
    add = parser.add_argument
    add("source", help="a file, a folder or a hub id")
    add("destination", type=Path, help="folder to write")
    tokenizer = parser.add_mutually_exclusive_group()
    tokenizer.add_argument("--tokenizer", help="folder or hub id, where the source carries none")
    tokenizer.add_argument("--without-tokenizer", action="store_true", help="store none")
    add("--dtype", choices=sorted(DTYPES), default="float32", help="type of the stored tensors")
    add("--seed", type=int, default=0, help="of newly initialised parts")
    add("--overwrite", action="store_true", help="replace a model folder")
    return parser


def load_anything(source: str) -> LoadedModel:
    """Load a ReferDINO, or make one around a GroundingDINO.

    Args:
        source: As of ``open_weights``.

    Returns:
        The model and what matched.

    Raises:
        CheckpointError: The source is missing, broken, or does not fit.
    """
    weights = open_weights(source)
    if weights.description is not None:
        return load_with_report(weights)
    names, unread = weights.state_dict, weights.unread
    shapes = {name: value.to("meta") for name, value in names.items()}
    # Otherwise they would stay in memory while the file is read once more.
    del weights, names
    model = ReferDINO.from_grounding_dino(source)
    report = compare_weights(source, model.state_dict(), shapes, _MAY_BE_NEW, unread=unread)
    report.check()
    return LoadedModel(model, report)


def choose_tokenizer(model: ReferDINO, source: str | None, without: bool) -> None:
    """Open the tokenizer that is to be stored, and see that it is one for this model.

    Args:
        model: Its tokenizer is replaced.
        source: Folder or hub id; None = that of the model.
        without: Store none.

    Raises:
        ExpressionError: There is no tokenizer, or it is made for another text encoder.
    """
    if without:
        model.tokenizer = ExpressionTokenizer(max_tokens=model.tokenizer.max_tokens)
        return
    if source is not None:
        model.tokenizer = ExpressionTokenizer(source, model.tokenizer.max_tokens)
    opened = model.tokenizer.tokenizer
    num_words = model.grounder.config.text_config.vocab_size
    delimiters = tuple(opened.convert_tokens_to_ids(["[CLS]", "[SEP]", ".", "?"]))
    if len(opened) > num_words or delimiters != DELIMITER_IDS:
        message = (
            f"tokenizer {str(model.tokenizer.source)!r} has {len(opened)} words and delimiters "
            f"{delimiters}; this model reads {num_words} words and {DELIMITER_IDS}: choose another"
        )
        raise ExpressionError(message)


def summary(report: LoadReport) -> str:
    """Lay out what matched, and name what was not taken over.

    Args:
        report: Without errors.

    Returns:
        Several lines.
    """
    lines = [report.source, "", report.table(), ""]
    if report.new:
        lines.append("newly initialised parts have to be trained before the masks mean anything")
    if report.unread:
        names = ", ".join(report.unread[:_MOST_NAMES])
        more = len(report.unread) - _MOST_NAMES
        lines.append(f"not read: {names}{f' and {more} more' if more > 0 else ''}")
    return "\n".join(lines)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
