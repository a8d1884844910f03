"""The training verbs of the `rvos` command: LightningCLI over composable YAML.

Import this module only when a training verb runs: it imports torch, transformers and Lightning.
"""

import importlib
import logging
import os
import pickle
import re
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import LightningDataModule, LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.utilities import rank_zero_only

from rvos.callbacks import LoggedConfig, explain, run_guards
from rvos.checkpoints.files import CheckpointError
from rvos.checkpoints.last_of_run import check_intact, find_last_checkpoint
from rvos.cluster.launch import check_job, cluster_options
from rvos.cluster.preemption import PreemptionStop, leave
from rvos.cluster.rank_watch import is_peer_failure, lost_rank
from rvos.cluster.stop_signals import restored_handlers
from rvos.configuration import (
    ConfigError,
    RvosArgumentParser,
    find_broken_file,
    told_to_user,
)
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


class RvosCLI(LightningCLI):
    """LightningCLI whose runs are named after their experiment file and can resume from `last`."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Declare what is neither of the trainer nor of the parts.

        Args:
            parser: The parser of one verb.
        """
        parser.add_argument("--shard", type=str, default=None, help="part I/N of the videos")

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse, and look at the checkpoint before anything is built.

        Args:
            parser: The parser.
            args: The words of the command line.

        Raises:
            CheckpointError: The checkpoint is missing, damaged or not one.
        """
        super().parse_arguments(parser, args)
        path = self.config[self.config.subcommand].get("ckpt_path")
        if path in {None, *_CHECKPOINT_KEYWORDS}:
            return
        if not Path(path).is_file():
            message = f"checkpoint {path} does not exist; `--ckpt_path last` takes the newest one"
            raise CheckpointError(message)
        check_intact(Path(path))

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
            told = told_to_user(error) or next(reported, None)
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
            # Lightning sets the rank from outside of the function, where no type checker looks.
            if vars(rank_zero_only)["rank"] == 0:
                start = config["ckpt_path"] or "none yet, starting anew"
                sys.stdout.write(f"checkpoint: {start}\n")
        if config.get("weights_only") is None:
            # Checkpoints of this package hold tensors and plain values, so no code need be run.
            config["weights_only"] = True

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Build the trainer, with what a cluster needs.

        Args:
            kwargs: Options that come before those of the configuration.

        Returns:
            The trainer.

        Raises:
            ConfigError: Lightning does not accept the options, or this machine cannot fulfil them.
        """
        options = {**self.config_init[self.subcommand].get("trainer", {}), **kwargs}
        chosen = {**kwargs, **cluster_options(options)}
        if options.get("enable_progress_bar") is False:
            # Lightning refuses the bar of the trainer files rather than leaving it out.
            callbacks = options.get("callbacks") or []
            chosen["callbacks"] = [each for each in callbacks if not isinstance(each, ProgressBar)]
        try:
            return super().instantiate_trainer(**chosen)
        except (MisconfigurationException, ModuleNotFoundError, ValueError) as error:
            message = f"trainer: {' '.join(str(error).split())}"
            if "backend" in message:
                message += " `--trainer.accelerator auto` takes what this machine has"
            raise ConfigError(message) from error

    def after_instantiate_classes(self) -> None:
        """Compare the trainer with the job of SLURM, if any, and choose the shard."""
        config = self.config[self.subcommand]
        check_job(self.trainer, config.get("ckpt_path"))
        if config.get("shard") is not None:
            self.datamodule.shard = parse_shard(config["shard"], str(self.subcommand))

    def before_validate(self) -> None:
        """Leave the scores to the task's table; Lightning's breaks long names."""
        self.config_init[self.subcommand]["verbose"] = False

    def before_test(self) -> None:
        """Leave the scores to the task's table."""
        self.before_validate()

    def before_predict(self) -> None:
        """Let go of what is written: the masks of a whole benchmark fit into no memory."""
        self.config_init[self.subcommand]["return_predictions"] = False


def parse_shard(text: str, verb: str = "predict") -> tuple[int, int]:
    """Read which part of the videos is meant.

    Args:
        text: Number of the part, from 0, and number of parts: ``0/8`` to ``7/8``.
        verb: What is to be run.

    Returns:
        The two numbers.

    Raises:
        ConfigError: The text says something else, or the verb needs all videos.

    >>> parse_shard("7/8")
    (7, 8)
    """
    numbers = re.fullmatch(r"(\d+)/(\d+)", text)
    if verb != "predict":
        message = f"`rvos {verb}` has no --shard: `rvos predict` in parts, then `rvos evaluate`"
        raise ConfigError(message)
    if numbers is None or int(numbers[1]) >= int(numbers[2]):
        message = f"--shard {text!r}: give 0/8 to 7/8, for example (#SBATCH --array=0-7)"
        raise ConfigError(message)
    return int(numbers[1]), int(numbers[2])


def _experiment_name(config: Any) -> str:
    files = config.get("config") or []
    # All files, so that an ablation has a folder and a last checkpoint of its own.
    return "+".join(Path(str(file)).stem for file in files) or "unnamed"


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
        with restored_handlers():
            return _run(argv)
    except ConfigError as error:
        broken = find_broken_file(argv)
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
    except MisconfigurationException as error:
        raise ConfigError(" ".join(str(error).split())) from error
    except (RuntimeError, OSError, RvosError) as error:  # torch packs up what a worker raises
        told = _explain(error)
        if told is None:
            raise
        raise told from error


def _explain(error: Exception) -> RvosError | None:
    """Say what the user can do about what a library says."""
    if is_peer_failure(error):
        return lost_rank(error)
    if "loading state_dict" in str(error):
        return CheckpointError(
            "the checkpoint is of another model; use the experiment file, or the config.yaml in "
            "the run's folder, that it was trained with"
        )
    return explain(error)


def _run(argv: Sequence[str]) -> int:
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
            trainer_defaults={"callbacks": run_guards()},
            args=list(argv),
        )
    except PreemptionStop as stop:
        return leave(stop)
    return 0
