"""Train and score a model that segments the objects an expression refers to."""

import sys
from typing import Any

from jaxtyping import Float
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor

from rvos.evaluation.benchmark_metrics import (
    BenchmarkMetrics,
    BenchmarkScores,
    ExpressionMaskMetrics,
)
from rvos.inference.selection import NoTargetDecision, ThresholdUnion, TopOne, TrackSelection
from rvos.losses import SetCriterion
from rvos.models.adaptation import AdaptationPolicy
from rvos.models.referdino import ReferDINO
from rvos.models.training_checkpoint import read_tokenizer
from rvos.ops.assignment import NonFiniteCostError
from rvos.structures import VideoBatch
from rvos.structures.predictions import VideoPrediction
from rvos.tasks.initial_weights import load_initial_weights
from rvos.tasks.optimized_task import OptimizedTask, published_optimizer
from rvos.tasks.shared_frames import SharedFrames
from rvos.tasks.tokenizers import MOVING_SHAPES_TOKENIZER, open_tokenizer
from rvos.tasks.whole_video import annotations_of, predict_batch


class ReferringSegmentationTask(OptimizedTask):
    """Clips with one expression each in training; whole videos in validation, test and predict.

    Args:
        model: Segments what an expression refers to.
        criterion: The loss over all layers' outputs.
        adaptation: What trains and what is frozen; None trains everything.
        initial_weights: Where training starts from: a ``.ckpt`` of an earlier stage or anything
            ``rvos.load_model`` takes. None starts from random weights.
        tokenizer: ``moving_shapes`` for the package's own, or a folder or hub id. None = that of
            the checkpoint (``--ckpt_path``); without one, that of the released models
            (bert-base-uncased) with initial weights, else the package's own, so that nothing is
            fetched for a model that starts from random weights.
        selection: Chooses the tracks that make up the answer; None = ``TopOne``, as published for
            Ref-YouTube-VOS; ``ThresholdUnion`` is the rule of MeViS, ``NoTargetDecision`` answers
            nothing where nothing is sure enough.
        metrics: What validation and test measure; None = J, F and J&F per expression kind.
        deep_supervision: Whether earlier decoder layers and the encoder's proposals are supervised
            too, as published. Where only the temporal enhancer trains, the last layer is enough
            and several times as fast.
        optimizer: Builds the optimizer of everything trainable.
        lr_scheduler: Builds the schedule; rvos's own advance per step, torch's per epoch.
        reference_batch_size: Batch size that the learning rate is meant for; None = as it is.

    Attributes:
        scores: What the last validation or test measured.
        keep_tracks: Whether predictions hold all tracks too; set by who writes submissions.
    """

    def __init__(
        self,
        model: ReferDINO,
        criterion: SetCriterion,
        adaptation: AdaptationPolicy | None = None,
        initial_weights: str | None = None,
        tokenizer: str | None = None,
        # The first three by name, too: on the command line the protocol matches no class.
        selection: TopOne | ThresholdUnion | NoTargetDecision | TrackSelection | None = None,
        metrics: BenchmarkMetrics | None = None,
        deep_supervision: bool = True,
        optimizer: OptimizerCallable = published_optimizer,
        lr_scheduler: LRSchedulerCallable | None = None,
        reference_batch_size: int | None = None,
    ) -> None:
        super().__init__(optimizer, lr_scheduler, reference_batch_size)
        self.model = model
        self.criterion = criterion
        self.adaptation = adaptation
        self.initial_weights = initial_weights
        self.selection = TopOne() if selection is None else selection
        self.deep_supervision = deep_supervision
        self.metrics = ExpressionMaskMetrics() if metrics is None else metrics
        self.scores: BenchmarkScores | None = None
        self.keep_tracks = False
        self._shared_frames: SharedFrames | None = None
        self._tokenizer_is_given = tokenizer is not None
        if tokenizer is None and initial_weights is None:
            tokenizer = MOVING_SHAPES_TOKENIZER
        if tokenizer is not None:
            model.tokenizer = open_tokenizer(tokenizer, model.tokenizer.max_tokens)
        if adaptation is not None:
            adaptation.apply(model)
        if not deep_supervision:
            # Only the loss on the proposals reaches what chooses them.
            model.grounder.proposal_selector.requires_grad_(requires_grad=False)
        self.initial_weights_report = (
            None if initial_weights is None else load_initial_weights(model, initial_weights)
        )

    def setup(self, stage: str) -> None:
        """Say what was found in the initial weights, before scores are taken for theirs.

        Args:
            stage: Not read.
        """
        super().setup(stage)
        if self.initial_weights_report is not None and self.trainer.is_global_zero:
            sys.stdout.write(f"{self.initial_weights}: {self.initial_weights_report}\n")

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Read expressions as the checkpoint's model learned to, unless a tokenizer was named.

        Args:
            checkpoint: What ``rvos fit`` wrote.
        """
        super().on_load_checkpoint(checkpoint)
        stored = read_tokenizer(checkpoint, self.model.tokenizer.max_tokens)
        if stored is not None and not self._tokenizer_is_given:
            self.model.tokenizer = stored

    def on_train_epoch_start(self) -> None:
        """Keep dropout and stochastic depth of frozen parts off."""
        if self.adaptation is not None:
            self.adaptation.set_frozen_parts_to_eval(self.model)

    def training_step(self, batch: VideoBatch, batch_idx: int) -> Float[Tensor, ""]:
        """Compute the loss of a batch of clips.

        Args:
            batch: Clips of equal length.
            batch_idx: Position of the batch in the epoch.

        Returns:
            The weighted total ``[]``.
        """
        del batch_idx
        forward = self.model.forward_for_training if self.deep_supervision else self.model
        output = forward(batch.frames, batch.expressions, batch.valid_pixels)
        try:
            losses = self.criterion(output, batch.targets, batch.valid_pixels)
        except NonFiniteCostError:
            return self.spoiled_loss(batch.sample_ids)
        self.report_loss(losses.total, losses.terms, batch.sample_ids)
        total: Tensor = losses.total
        return total

    # Lightning hands on what a step returns, whatever it is, but declares less.
    def validation_step(  # type: ignore[override]
        self, batch: VideoBatch, batch_idx: int
    ) -> list[VideoPrediction]:
        """Segment whole videos and score them at their own size.

        Args:
            batch: Whole videos.
            batch_idx: Position of the batch.

        Returns:
            One prediction per expression, for the callbacks.
        """
        del batch_idx
        return self._score(batch)

    def test_step(  # type: ignore[override]
        self, batch: VideoBatch, batch_idx: int
    ) -> list[VideoPrediction]:
        """Segment and score as in validation.

        Args:
            batch: Whole videos.
            batch_idx: Position of the batch.

        Returns:
            One prediction per expression, for the callbacks.
        """
        del batch_idx
        return self._score(batch)

    def predict_step(self, batch: VideoBatch, batch_idx: int = 0) -> list[VideoPrediction]:
        """Segment whole videos.

        Args:
            batch: Whole videos; targets are not looked at.
            batch_idx: Position of the batch.

        Returns:
            One prediction per expression.
        """
        del batch_idx
        return self.segment_videos(batch, self.keep_tracks)

    def segment_videos(self, batch: VideoBatch, keep_tracks: bool) -> list[VideoPrediction]:
        """Segment whole videos.

        Args:
            batch: Whole videos.
            keep_tracks: Whether predictions hold all tracks too.

        Returns:
            One prediction per expression.
        """
        shared = SharedFrames(self.model) if self._shared_frames is None else self._shared_frames
        tokens = self.model.tokenize(batch.expressions)
        frame_size = (batch.frames.shape[-2], batch.frames.shape[-1])
        output = self.model.segment_features(shared.encode(batch), tokens, frame_size)
        return predict_batch(output, batch, self.selection, keep_tracks)

    def on_validation_start(self) -> None:
        """Share the image part between the expressions of a video, until the end."""
        self._shared_frames = SharedFrames(self.model)

    def on_validation_end(self) -> None:
        """Let go of the last video: weights may change."""
        self._shared_frames = None

    on_test_start = on_predict_start = on_validation_start
    on_test_end = on_predict_end = on_validation_end

    def on_validation_epoch_end(self) -> None:
        """Log what the metrics have found."""
        self._log_scores("val/")

    def on_test_epoch_end(self) -> None:
        """Log what the metrics have found."""
        self._log_scores("test/")

    def _score(self, batch: VideoBatch) -> list[VideoPrediction]:
        keep_tracks = self.keep_tracks or self.metrics.needs_tracks
        predictions = self.segment_videos(batch, keep_tracks)
        self.metrics.update(predictions, annotations_of(batch), batch.expression_kinds)
        return predictions

    def _log_scores(self, prefix: str) -> None:
        # The metrics have gathered all processes, so nothing is left to be synchronised.
        self.scores = self.metrics.compute()
        self.metrics.reset()
        logged = self.scores.as_log_dict(prefix)
        self.log_dict(logged)
        headline = self.scores.headline
        self.log(headline, logged[f"{prefix}{headline}"], prog_bar=True, logger=False)
        fitting = self.trainer.state.fn == TrainerFn.FITTING
        if self.trainer.is_global_zero and not fitting:
            sys.stdout.write(f"{self.scores.table}\n")
