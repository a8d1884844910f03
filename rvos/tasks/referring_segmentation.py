"""Train and score a model that segments the objects an expression refers to."""

import sys
from typing import Any

from jaxtyping import Float
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor

from rvos.evaluation.expression_table import format_table, score_rows
from rvos.inference.selection import ThresholdUnion, TopOne, TrackSelection
from rvos.losses import SetCriterion
from rvos.metrics import JAndF, JAndFResult
from rvos.models.adaptation import AdaptationPolicy
from rvos.models.referdino import ReferDINO
from rvos.models.training_checkpoint import read_tokenizer
from rvos.ops.assignment import NonFiniteCostError
from rvos.structures import VideoBatch
from rvos.structures.predictions import VideoPrediction
from rvos.tasks.initial_weights import load_initial_weights
from rvos.tasks.optimized_task import OptimizedTask, published_optimizer
from rvos.tasks.tokenizers import MOVING_SHAPES_TOKENIZER, open_tokenizer
from rvos.tasks.whole_video import predict_batch, target_masks


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
            Ref-YouTube-VOS; ``ThresholdUnion`` is the rule of MeViS.
        deep_supervision: Whether earlier decoder layers and the encoder's proposals are supervised
            too, as published. Where only the temporal enhancer trains, the last layer is enough
            and several times as fast.
        optimizer: Builds the optimizer of everything trainable.
        lr_scheduler: Builds the schedule; rvos's own advance per step, torch's per epoch.
        reference_batch_size: Batch size that the learning rate is meant for; None = as it is.

    Attributes:
        scores: J, F and J&F of the last validation or test.
        keep_tracks: Whether predictions hold all tracks too; set by who writes submissions.
    """

    def __init__(
        self,
        model: ReferDINO,
        criterion: SetCriterion,
        adaptation: AdaptationPolicy | None = None,
        initial_weights: str | None = None,
        tokenizer: str | None = None,
        # The first two by name, too: on the command line the protocol matches no class.
        selection: TopOne | ThresholdUnion | TrackSelection | None = None,
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
        self.val_scores = JAndF()
        self.test_scores = JAndF()
        self.scores: JAndFResult | None = None
        self.keep_tracks = False
        self._tokenizer_is_given = tokenizer is not None
        if tokenizer is None and initial_weights is None:
            tokenizer = MOVING_SHAPES_TOKENIZER
        if tokenizer is not None:
            model.tokenizer = open_tokenizer(tokenizer, model.tokenizer.max_tokens)
        if adaptation is not None:
            adaptation.apply(model)
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
        forward = self.model.forward_with_auxiliary if self.deep_supervision else self.model
        output = forward(batch.frames, batch.expressions, batch.valid_pixels)
        try:
            losses = self.criterion(output, batch.targets, batch.valid_pixels)
        except NonFiniteCostError as error:
            raise self.non_finite_loss(batch.sample_ids) from error
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
        return self._score(batch, batch_idx, self.val_scores)

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
        return self._score(batch, batch_idx, self.test_scores)

    def predict_step(self, batch: VideoBatch, batch_idx: int = 0) -> list[VideoPrediction]:
        """Segment whole videos.

        Args:
            batch: Whole videos; targets are not looked at.
            batch_idx: Position of the batch.

        Returns:
            One prediction per expression.
        """
        del batch_idx
        output = self.model(batch.frames, batch.expressions, batch.valid_pixels)
        return predict_batch(output, batch, self.selection, self.keep_tracks)

    def on_validation_epoch_end(self) -> None:
        """Log J, F and J&F, overall and per expression kind."""
        self._log_scores(self.val_scores, "val/")

    def on_test_epoch_end(self) -> None:
        """Log J, F and J&F, overall and per expression kind."""
        self._log_scores(self.test_scores, "test/")

    def _score(self, batch: VideoBatch, batch_idx: int, metric: JAndF) -> list[VideoPrediction]:
        predictions = self.predict_step(batch, batch_idx)
        metric.update(
            [prediction.masks for prediction in predictions],
            target_masks(batch),
            batch.sample_ids,
            batch.expression_kinds,
        )
        return predictions

    def _log_scores(self, metric: JAndF, prefix: str) -> None:
        # The metric has gathered all processes, so nothing is left to be synchronised.
        self.scores = metric.compute()
        self.log_dict(self.scores.as_log_dict(prefix))
        self.log("J&F", self.scores.overall.j_and_f, prog_bar=True, logger=False)
        metric.reset()
        fitting = self.trainer.state.fn == TrainerFn.FITTING
        if self.trainer.is_global_zero and not fitting:
            sys.stdout.write(f"{format_table(score_rows(self.scores))}\n")
