"""The training verbs of the `rvos` command: LightningCLI over composable YAML.

Import this module only when a training verb runs: it imports torch, transformers and Lightning.
"""

import difflib
import importlib
import inspect
import logging
import os
import re
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch
from lightning.pytorch import LightningDataModule, LightningModule
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

from rvos.structures.errors import RvosError

# Imported first, so that a bare class name in a YAML file resolves.
_PACKAGES_OF_SHORT_NAMES = (
    "rvos.callbacks",
    "rvos.datamodules",
    "rvos.losses",
    "rvos.models.adaptation",
    "rvos.models.grounding_dino",
    "rvos.models.mask_heads",
    "rvos.models.referdino",
    "rvos.tasks",
)
_IGNORED_HINTS = (
    # `main` passes the arguments on, which LightningCLI takes for a mistake.
    ".*args parameter is intended to run from.*",
    # The configurations set the number of workers; tiny data sets need none.
    ".*does not have many workers.*",
    ".*is smaller than the logging interval.*",
    # A resumed run writes into a new folder on purpose.
    ".*The dirpath has changed from.*",
    # Lightning 2.6 on torch 2.13: nothing that a user could change.
    ".*isinstance.treespec, LeafSpec.* is deprecated.*",
)
_DEFAULT_SEED = 42
_DEFAULT_LOGGER_NAME = "lightning_logs"


class ConfigError(RvosError):
    """A configuration file or flag that the parser does not accept."""


class RvosArgumentParser(LightningArgumentParser):
    """LightningCLI's parser, whose errors are one line instead of the usage of 60 options."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise instead of printing the usage and leaving the process.

        Args:
            message: The parser's report.
            ex: The exception behind it, if any.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(summarize_parser_error(message, _option_names(self))) from ex


class RvosCLI(LightningCLI):
    """LightningCLI whose runs are named after their experiment file and can resume from `last`."""

    def before_instantiate_classes(self) -> None:
        """Name the run's folder after the experiment file and find the checkpoint of `last`."""
        config = self.config[self.subcommand]
        logger = config.trainer.get("logger")
        if hasattr(logger, "init_args") and logger.init_args.get("name") == _DEFAULT_LOGGER_NAME:
            logger.init_args["name"] = _experiment_name(config)
        if config.get("ckpt_path") == "last" and hasattr(logger, "init_args"):
            run = Path(logger.init_args["save_dir"]) / str(logger.init_args["name"])
            config["ckpt_path"] = find_last_checkpoint(run)
            sys.stdout.write(f"checkpoint: {config['ckpt_path'] or 'none yet, starting anew'}\n")
        if config.get("weights_only") is None:
            # Checkpoints of this package hold tensors and plain values, so no code need be run.
            config["weights_only"] = True

    def before_validate(self) -> None:
        """Leave the scores to the task's table; Lightning's breaks long names."""
        self.config_init[self.subcommand]["verbose"] = False

    def before_test(self) -> None:
        """Leave the scores to the task's table."""
        self.before_validate()


def find_last_checkpoint(run: Path) -> str | None:
    """Find the newest `last` checkpoint among the versions of one run.

    Args:
        run: Folder of the run, which holds ``version_<n>/checkpoints/last.ckpt``.

    Returns:
        The checkpoint's path, or None where the run has not saved one yet: training then starts
        anew, so that one command both starts and resumes a job.

    Example:
        >>> find_last_checkpoint(Path("no/such/run")) is None
        True
    """
    candidates = run.glob("version_*/checkpoints/last*.ckpt")
    newest = max(candidates, key=lambda path: path.stat().st_mtime, default=None)
    return None if newest is None else str(newest)


def summarize_parser_error(message: str, known_options: Sequence[str] = ()) -> str:
    """Reduce a parser report of many lines to the one that names the cause.

    Args:
        message: Report of jsonargparse, nested over several lines.
        known_options: Dotted names of the verb's options, for a suggestion.

    Returns:
        One line, with near names where a key is unknown.

    Example:
        >>> summarize_parser_error("Subcommand 'fit' does not accept option 'trainer.max_step'",
        ...                        ["trainer.max_steps"])
        "unknown config key 'trainer.max_step'. Did you mean 'trainer.max_steps'?"
    """
    refused = re.search(r"does not accept option '([^']+)'", message)
    if refused:
        return _unknown_key(refused.group(1), known_options)
    refused = re.search(r"Option '([^']+)' is not accepted", message)
    if refused:
        owners = re.findall(r"class_path '([^']+)'", message[: refused.start()])
        owner = owners[-1] if owners else None
        return _unknown_key(refused.group(1), _parameters_of(owner), owner)
    lines = [line.strip(" -") for line in message.splitlines() if line.strip()]
    telling = [line for line in lines if not re.match(_EMPTY_PHRASES, line)]
    return "configuration: " + " ".join(telling[:3])


_EMPTY_PHRASES = (
    r"(Parser key .*:$|Does not validate against|Subtypes:|Errors:|Expected a <class 'NoneType'>"
    r"|Given value|Problem with given class_path .*:$)"
)


def _unknown_key(key: str, known: Sequence[str], owner: str | None = None) -> str:
    near = difflib.get_close_matches(key, known, n=3, cutoff=0.6)
    place = f" of {owner}" if owner else ""
    if near:
        return f"unknown config key '{key}'{place}. Did you mean " + " or ".join(map(repr, near)) + "?"
    known_here = f" Known here: {', '.join(known)}." if owner and known else ""
    return f"unknown config key '{key}'{place}.{known_here}"


def _parameters_of(class_path: str | None) -> list[str]:
    if class_path is None or "." not in class_path:
        return []
    module_name, _, name = class_path.rpartition(".")
    try:
        owner = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError):
        return []
    return [name for name in inspect.signature(owner).parameters if name != "self"]


def _option_names(parser: LightningArgumentParser) -> list[str]:
    return [action.dest for action in parser._actions]


def _experiment_name(config: Any) -> str:
    files = config.get("config") or []
    return Path(str(files[0])).stem if files else "unnamed"


def _quiet_lightning() -> None:
    """Drop Lightning's advertisements and hints that no reader of a run needs."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # jsonargparse 4.53 announces for 5.0 the removal of calls that LightningCLI 2.6 makes.
    os.environ.setdefault("JSONARGPARSE_DEPRECATION_WARNINGS", "off")
    for hint in _IGNORED_HINTS:
        warnings.filterwarnings("ignore", message=hint)


def main(argv: Sequence[str]) -> int:
    """Run one of fit, validate, test and predict.

    Args:
        argv: The verb and its options, without the program's name.

    Returns:
        The process's exit status: 0, or 2 where the configuration is not accepted.

    Raises:
        RvosError: Any other error that the user can mend.
    """
    _quiet_lightning()
    for package in _PACKAGES_OF_SHORT_NAMES:
        importlib.import_module(package)
    torch.set_float32_matmul_precision("high")
    try:
        RvosCLI(
            LightningModule,
            LightningDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            parser_class=RvosArgumentParser,
            seed_everything_default=_DEFAULT_SEED,
            auto_configure_optimizers=False,
            args=list(argv),
        )
    except ConfigError as error:
        sys.stderr.write(f"rvos: error: {error}\n")
        return 2
    return 0
