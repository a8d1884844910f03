"""The training verbs of the `rvos` command: LightningCLI over composable YAML.

Import this module only when a training verb runs: it imports torch, transformers and Lightning.
"""

import difflib
import importlib
import inspect
import itertools
import logging
import os
import pickle
import re
import sys
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch
import yaml
from jsonargparse import ArgumentParser
from lightning.pytorch import LightningDataModule, LightningModule
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI

from rvos.callbacks import LoggedConfig
from rvos.structures.errors import RvosError

# Imported first, so that a bare class name in a YAML file resolves.
_PACKAGES_OF_SHORT_NAMES = (
    "rvos.callbacks",
    "rvos.datamodules",
    "rvos.evaluation.benchmark_metrics",
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
    ".*(does not have many workers|is smaller than the logging interval).*",
    # A resumed run writes into a new folder on purpose.
    ".*The dirpath has changed from.*",
    # The project's own loader tells no indices, and perhaps all of its videos are done already.
    ".*(infer the batch indices fetched|Total length of `EvaluationLoader` across ranks is zero).*",
    ".*It is recommended to use `self.log.*sync_dist=True.*",  # the metrics gather themselves
    # Lightning 2.6 on torch 2.13: nothing that a user could change.
    ".*isinstance.treespec, LeafSpec.* is deprecated.*",
)
_CHECKPOINT_KEYWORDS = ("last", "best", "hpc", "registry")
_DEFAULT_SEED = 42
_DEFAULT_LOGGER_NAME = "lightning_logs"


class ConfigError(RvosError):
    """A configuration file or flag that the parser does not accept."""


class RvosArgumentParser(LightningArgumentParser):
    """LightningCLI's parser, with errors of one line instead of the usage of 60 options.

    Args:
        kwargs: Options of ``LightningArgumentParser``.
    """

    def __init__(self, **kwargs: Any) -> None:
        # `--trainer.max_step` would otherwise pass for `--trainer.max_steps`.
        super().__init__(**{"allow_abbrev": False, **kwargs})

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise instead of printing the usage and leaving the process.

        Args:
            message: The parser's report.
            ex: The exception behind it, if any.

        Raises:
            ConfigError: Always.
        """
        if not self.exit_on_error:
            # A parser of nested arguments; the outermost one has the whole story.
            super().error(message, ex)
        raise ConfigError(summarize_parser_error(message, _option_names(self))) from ex


class CheckpointError(RvosError):
    """A checkpoint to start from that is missing, broken or of another model."""


class RvosCLI(LightningCLI):
    """LightningCLI whose runs are named after their experiment file and can resume from `last`."""

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse, and look at the checkpoint before anything is built.

        Args:
            parser: The parser.
            args: The words of the command line.

        Raises:
            CheckpointError: The checkpoint is missing or not one.
        """
        super().parse_arguments(parser, args)
        path = self.config[self.config.subcommand].get("ckpt_path")
        if path in {None, *_CHECKPOINT_KEYWORDS}:
            return
        if not Path(path).is_file():
            message = f"checkpoint {path} does not exist; `--ckpt_path last` takes the newest one"
            raise CheckpointError(message)
        if not zipfile.is_zipfile(path):
            message = f"{path} is not a checkpoint of `rvos fit`, or only half of one"
            raise CheckpointError(message)

    def instantiate_classes(self) -> None:
        """Build all parts; what a constructor tells the user is not wrapped into a parser report.

        Raises:
            RvosError: A part cannot be built as configured.
        """
        refused: list[RvosError] = []

        def build(class_type: type[Any], *args: Any, **kwargs: Any) -> Any:
            try:
                return class_type(*args, **kwargs)
            except RvosError as error:
                refused.append(error)
                raise

        # Of a choice between classes the parser's report keeps only the first one's error as cause.
        self.parser.add_instantiator(build, object)
        try:
            super().instantiate_classes()
        except ValueError as error:
            reported = (each for each in refused if str(each).partition("\n")[0] in str(error))
            told = _told_to_user(error) or next(reported, None)
            if told is None:
                raise
            raise told from None

    def before_instantiate_classes(self) -> None:
        """Name the run's folder after the configuration files; find the checkpoint of `last`."""
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

    def before_predict(self) -> None:
        """Let go of what is written: the masks of a whole benchmark fit into no memory."""
        self.config_init[self.subcommand]["return_predictions"] = False


def _told_to_user(error: BaseException | None) -> RvosError | None:
    """Find the error for the user that the parser has put into reports of its own."""
    while error is not None and not isinstance(error, RvosError):
        error = error.__cause__
    return error


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
    refused = re.search(
        r"does not accept option '([^']+)'|Unrecognized arguments: --([^\s=]+)",
        message,
        re.IGNORECASE,
    )
    if refused:
        return _unknown_key(refused.group(1) or refused.group(2), known_options)
    refused = re.search(r"Option '([^']+)' is not accepted", message)
    if refused:
        # Of a nested class the report names the class before, of an optimizer after the key.
        later = re.findall(r"class_path='([^']+)'", message[refused.end() :].split("\n")[0])
        owners = re.findall(r"class_path '([^']+)'", message[: refused.start()]) + later
        owner = owners[-1] if owners else None
        return _unknown_key(refused.group(1), _parameters_of(owner), owner)
    if "arguments are required" in message:
        return f"{message}; name an experiment file: -c configs/experiment/NAME.yaml"
    keys = ".".join(re.findall(r'Parser key "([^"]+)"', message)) or "configuration"
    lines = [re.sub(r'^Parser key "[^"]+": ', "", x.strip(" -")) for x in message.splitlines()]
    telling = [line for line in lines if line and not re.match(_EMPTY_PHRASES, line)]
    return f"{keys}: " + "; ".join(telling[:3])


_EMPTY_PHRASES = (
    r"(Parser key .*:$|Does not validate against|Subtypes:|Errors:|Expected a <class 'NoneType'>"
    r"|Given value|Problem with given class_path .*:$)"
)


def _unknown_key(key: str, known: Sequence[str], owner: str | None = None) -> str:
    near = difflib.get_close_matches(key, known, n=3, cutoff=0.6)
    place = f" of {owner}" if owner else ""
    if near:
        return f"unknown config key '{key}'{place}. Did you mean {' or '.join(map(repr, near))}?"
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


def _option_names(parser: ArgumentParser) -> list[str]:
    """List the dotted options of a parser and of its verbs, each once."""
    names: dict[str, None] = {}
    for action in parser._actions:
        verbs = action.choices if isinstance(action.choices, dict) else {}
        for verb in verbs.values():
            names |= dict.fromkeys(_option_names(verb))
        names[action.dest] = None
    return list(names)


def _experiment_name(config: Any) -> str:
    files = config.get("config") or []
    # All files, so that an ablation has a folder and a last checkpoint of its own.
    return "+".join(Path(str(file)).stem for file in files) or "unnamed"


def _broken_file(argv: Sequence[str]) -> str | None:
    """Find a configuration file that is not YAML; the parser's report does not name it."""
    for flag, path in itertools.pairwise(argv):
        if flag in {"-c", "--config"} and Path(path).is_file():
            try:
                yaml.safe_load(Path(path).read_text(encoding="utf-8"))
            except (yaml.YAMLError, UnicodeDecodeError):
                return path
    return None


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
            save_config_callback=LoggedConfig,
            save_config_kwargs={"overwrite": True},
            args=list(argv),
        )
    except ConfigError as error:
        broken = _broken_file(argv)
        sys.stderr.write(f"rvos: error: {f'{broken}: ' if broken else ''}{error}\n")
        return 2
    except SystemExit as stop:
        if stop.code == 1:  # Lightning leaves the process after Ctrl-C.
            raise KeyboardInterrupt from stop
        raise
    except pickle.UnpicklingError as error:
        message = (
            "the checkpoint holds more than tensors and plain values, which could run code; "
            "nothing of it was run. Use a checkpoint of `rvos fit`"
        )
        raise CheckpointError(message) from error
    except RuntimeError as error:
        if "loading state_dict" not in str(error):
            raise
        message = (
            "the checkpoint is of another model; use the experiment file, or the config.yaml in "
            "the run's folder, that it was trained with"
        )
        raise CheckpointError(message) from error
    return 0
