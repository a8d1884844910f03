"""Before image and video stage: the model learns boxes, masks and which phrases fit what."""

from jaxtyping import Float
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor

from rvos.datasets.phrase_batch import PhraseBatch
from rvos.losses import GroundingCriterion
from rvos.losses.grounding import GroundingTargets
from rvos.losses.phrases import OPEN_LABEL, batch_token_labels, object_word_labels
from rvos.models.adaptation import AdaptationPolicy
from rvos.models.grounding_dino.prompt import phrase_of_token
from rvos.models.referdino import ReferDINO
from rvos.ops.assignment import NonFiniteCostError
from rvos.structures import AuxiliarySegmentationOutput, TextTokens, TrainingOutput
from rvos.tasks.optimized_task import published_optimizer
from rvos.tasks.prompt_pretraining import PromptPretrainingTask
from rvos.tasks.tokenizers import MOVING_SHAPES_TOKENIZER


class GroundingPretrainingTask(PromptPretrainingTask):
    """Train on clips with prompts of several phrases; single frames skip the temporal enhancer.

    Not part of the published method, which starts from GroundingDINO: this is that model's own
    pre-training, small, with masks. One prompt says several things of every object, where an
    expression says one of one.

    Args:
        model: The model.
        criterion: The loss over all layers' outputs.
        adaptation: What trains and what is frozen; None trains everything.
        initial_weights: Where training starts from: a checkpoint of the phrase stage.
        tokenizer: ``moving_shapes`` for the package's own, or a folder or hub id.
        optimizer: Builds the optimizer of everything trainable.
        lr_scheduler: Builds the schedule; rvos's own advance per step, torch's per epoch.
        reference_batch_size: Batch size that the learning rate is meant for; None = as it is.
    """

    def __init__(
        self,
        model: ReferDINO,
        criterion: GroundingCriterion,
        adaptation: AdaptationPolicy | None = None,
        initial_weights: str | None = None,
        tokenizer: str = MOVING_SHAPES_TOKENIZER,
        optimizer: OptimizerCallable = published_optimizer,
        lr_scheduler: LRSchedulerCallable | None = None,
        reference_batch_size: int | None = None,
    ) -> None:
        model.enhance_single_frames = False
        # Before the weights are loaded, because adapters change the names of some of them.
        if adaptation is not None:
            adaptation.apply(model)
        super().__init__(
            model, initial_weights, tokenizer, optimizer, lr_scheduler, reference_batch_size
        )
        self.criterion = criterion
        self.adaptation = adaptation

    def on_train_epoch_start(self) -> None:
        """Keep dropout and stochastic depth of frozen parts off."""
        if self.adaptation is not None:
            self.adaptation.set_frozen_parts_to_eval(self.model)

    def training_step(self, batch: PhraseBatch, batch_idx: int) -> Float[Tensor, ""]:
        """Compute the loss of a batch of clips.

        Args:
            batch: Clips with a prompt each.
            batch_idx: Position of the batch in the epoch.

        Returns:
            The weighted total ``[]``.
        """
        del batch_idx
        output, targets = self.predict_words(batch)
        try:
            losses = self.criterion(output, targets)
        except NonFiniteCostError:
            return self.spoiled_loss(batch.sample_ids)
        self.report_loss(losses.total, losses.terms, batch.sample_ids)
        total: Tensor = losses.total
        return total

    def best_hits(self, batch: PhraseBatch) -> Float[Tensor, " n"]:
        """Tell whether the best query for a word is that of an object it is true of.

        Args:
            batch: Clips with a prompt each.

        Returns:
            1 or 0 ``[N]`` per word.
        """
        return self.criterion.best_query_hits(*self.predict_words(batch))

    def predict_words(self, batch: PhraseBatch) -> tuple[TrainingOutput, GroundingTargets]:
        """Run the model on the prompts.

        Args:
            batch: Clips with a prompt each.

        Returns:
            Predictions and what they should be.
        """
        tokens = self.model.tokenize(batch.prompts)
        output = self.model.forward_for_training(batch.frames, tokens)
        return output, grounding_targets(batch, tokens, output)


def grounding_targets(
    batch: PhraseBatch, tokens: TextTokens, output: AuxiliarySegmentationOutput | TrainingOutput
) -> GroundingTargets:
    """Look up which words fit which object and which encoder token.

    Args:
        batch: Frames with their phrases and objects.
        tokens: The tokenised prompts.
        output: Tells the size of the levels and which encoder tokens are usable.

    Returns:
        The targets.
    """
    phrases = phrase_of_token(tokens.input_ids)
    token_labels = batch_token_labels(batch.phrase_maps, phrases, output.level_shapes)
    return GroundingTargets(
        objects=batch.objects,
        object_labels=[
            object_word_labels(judgements, words)
            for judgements, words in zip(batch.judgements, phrases, strict=True)
        ],
        token_labels=token_labels.masked_fill(~output.word_logits.isfinite(), OPEN_LABEL),
        valid_words=tokens.attention_mask.bool(),
    )
