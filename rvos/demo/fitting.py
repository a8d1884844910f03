"""The demo's training: Lightning in this process, resumable."""

import contextlib
import logging
import signal
import warnings
from collections.abc import Iterator
from functools import partial

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import TensorBoardLogger

import rvos
from rvos.callbacks import LastCheckpoint, ParameterTable, ThroughputMonitor
from rvos.datamodules import MovingShapesDataModule
from rvos.datasets.clip_sampler import EvenClipSampler
from rvos.demo.folder import DemoFolder
from rvos.demo.settings import DemoSettings
from rvos.demo.step_bar import StepBar
from rvos.layers.described import build, describe
from rvos.losses import HungarianMatcher, LossWeights, SetCriterion, TokenScoreLoss
from rvos.models.adaptation import AdaptationPolicy
from rvos.models.referdino import (
    CrossModalTemporalDecoder,
    MemoryAugmentedTracker,
    ObjectConsistentTemporalEnhancer,
    ReferDINO,
)
from rvos.tasks import ReferringSegmentationTask, WarmUpCosineLR

_IGNORED_HINTS = (
    # One process reads clips as fast as two cores can learn from them.
    ".*does not have many workers.*",
    # A resumed run goes on in the folder of the interrupted one.
    ".*exists and is not empty.*",
    # The frozen parts are in evaluation mode on purpose.
    ".*in eval mode at the start of training.*",
    # Lightning 2.6 on torch 2.13: nothing that a user could change.
    ".*isinstance.treespec, LeafSpec.* is deprecated.*",
)


def fit(settings: DemoSettings, folder: DemoFolder) -> None:
    """Train from the image-stage weights, or go on where a training was interrupted.

    Args:
        settings: What to learn and for how long.
        folder: Holds the videos; gets curves, checkpoint and the fitted model.

    Raises:
        KeyboardInterrupt: Ctrl-C; the checkpoint is written.
        RvosError: The weights cannot be used or the loss is lost.
    """
    torch.manual_seed(settings.seed)
    task = build_task(settings)
    resume = str(folder.checkpoint) if folder.checkpoint.is_file() else None
    with _quiet_lightning():
        trainer, data = build_trainer(settings, folder), build_data(settings, folder)
        trainer.fit(task, data, ckpt_path=resume, weights_only=True)
    task.model.save_pretrained(folder.model)


def build_task(settings: DemoSettings) -> ReferringSegmentationTask:
    """Build model, optimizer and the loss of ``configs/criterion/moving_shapes.yaml``.

    Args:
        settings: What to learn.

    Returns:
        The task.
    """
    task = ReferringSegmentationTask(
        model=build_model(settings),
        criterion=SetCriterion(
            matcher=HungarianMatcher(),
            weights=LossWeights(ce=12.0),
            target_tracks="all",
            token_loss=TokenScoreLoss(),
            token_weight=12.0,
            proposal_class_scale=0.0,
            duplicate_iou=0.6,
        ),
        adaptation=AdaptationPolicy(trainable=settings.trainable),
        initial_weights=settings.weights,
        selection=settings.selection,
        deep_supervision=settings.deep_supervision,
        optimizer=partial(
            torch.optim.AdamW, lr=settings.learning_rate, weight_decay=settings.weight_decay
        ),
        lr_scheduler=partial(
            WarmUpCosineLR,
            num_steps=settings.num_steps,
            num_warm_up_steps=settings.num_warm_up_steps,
        ),
    )
    # Loaded for inference; Lightning leaves the mode as it is.
    return task.train()


def build_model(settings: DemoSettings) -> ReferDINO:
    """Load the weights; those of the image stage get a temporal enhancer that has learned nothing.

    Args:
        settings: Name the weights.

    Returns:
        The model.
    """
    model = rvos.load_model(settings.weights)
    if model.temporal_enhancer is not None:
        return model
    enhancer = ObjectConsistentTemporalEnhancer(
        MemoryAugmentedTracker(locality=4.0),
        CrossModalTemporalDecoder(
            hidden_dim=model.grounder.hidden_dim,
            num_layers=2,
            num_heads=4,
            feedforward_dim=2 * model.grounder.hidden_dim,
            temporal_position="sine_and_box",
        ),
        sentence="unfused_mean",
    )
    description = describe(model)
    description["init_args"]["temporal_enhancer"] = describe(enhancer)
    with_enhancer: ReferDINO = build(description)
    with_enhancer.load_state_dict(model.state_dict(), strict=False)
    with_enhancer.tokenizer = model.tokenizer
    return with_enhancer


def build_data(settings: DemoSettings, folder: DemoFolder) -> MovingShapesDataModule:
    """Open the training clips.

    Args:
        settings: Which clips, and how many at a time.
        folder: Holds the videos.

    Returns:
        The data, without a validation split: the demo scores before and after, by itself.
    """
    data = MovingShapesDataModule(
        folder.data,
        batch_size=settings.batch_size,
        num_workers=settings.num_workers,
        sampler=EvenClipSampler(settings.num_frames, max_step=3, min_step=3),
        kinds=list(settings.training_kinds),
        seed=settings.seed,
    )
    data.validation_split = None
    return data


def build_trainer(settings: DemoSettings, folder: DemoFolder) -> Trainer:
    """Build the trainer.

    Args:
        settings: How long to train.
        folder: Gets curves and checkpoint.

    Returns:
        The trainer.
    """
    tensorboard = folder.tensorboard
    return Trainer(
        accelerator="cpu",
        max_steps=settings.num_steps,
        max_epochs=-1,
        precision=settings.precision,
        gradient_clip_val=settings.gradient_clip,
        logger=TensorBoardLogger(tensorboard.parent, name=tensorboard.name, version=""),
        limit_val_batches=0,
        log_every_n_steps=settings.steps_per_log,
        enable_model_summary=False,
        callbacks=[
            ParameterTable(depth=1),
            ThroughputMonitor(),
            LastCheckpoint(every_n_steps=settings.steps_per_checkpoint),
            StepBar(),
        ],
    )


@contextlib.contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Drop hints that no reader of the demo needs, and let Ctrl-C through as what it is."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    interrupt_handler = signal.getsignal(signal.SIGINT)
    with warnings.catch_warnings():
        for hint in _IGNORED_HINTS:
            warnings.filterwarnings("ignore", message=hint)
        try:
            yield
        except SystemExit as error:
            # Lightning leaves the process on Ctrl-C, and makes it deaf to the next one.
            signal.signal(signal.SIGINT, interrupt_handler)
            raise KeyboardInterrupt from error
