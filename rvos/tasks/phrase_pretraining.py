"""Between stage 0 and the image stage: text and fusion encoder learn what phrases mean."""

import torch
from jaxtyping import Float, Int
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor

from rvos.datasets.phrase_batch import PhraseBatch
from rvos.losses import PhraseScoreLoss
from rvos.losses.phrases import OPEN_LABEL, batch_token_labels
from rvos.models.grounding_dino.prompt import phrase_of_token
from rvos.models.referdino import ReferDINO
from rvos.tasks.optimized_task import published_optimizer
from rvos.tasks.prompt_pretraining import PromptPretrainingTask
from rvos.tasks.tokenizers import MOVING_SHAPES_TOKENIZER

_TRAINED_PARTS = (
    "grounder.text_encoder.",
    "grounder.fusion_encoder.",
    "grounder.proposal_selector.norm.",
    "grounder.proposal_selector.projection.",
)


class PhrasePretrainingTask(PromptPretrainingTask):
    """Train text encoder, fusion encoder and proposal scores on prompts; nothing else runs.

    Not part of the published method, which starts from GroundingDINO: this is that model's own
    pre-training, small. Without it the class score, a maximum over the words, settles on one word
    that is the same in every expression.

    Args:
        model: The model; its image encoder is frozen.
        criterion: Scores every encoder token for every word; None = ``PhraseScoreLoss()``.
        initial_weights: Where training starts from: a checkpoint of the dense stage.
        tokenizer: ``moving_shapes`` for the package's own, or a folder or hub id.
        optimizer: Builds the optimizer of everything trainable.
        lr_scheduler: Builds the schedule; rvos's own advance per step, torch's per epoch.
        reference_batch_size: Batch size that the learning rate is meant for; None = as it is.
    """

    def __init__(
        self,
        model: ReferDINO,
        criterion: PhraseScoreLoss | None = None,
        initial_weights: str | None = None,
        tokenizer: str = MOVING_SHAPES_TOKENIZER,
        optimizer: OptimizerCallable = published_optimizer,
        lr_scheduler: LRSchedulerCallable | None = None,
        reference_batch_size: int | None = None,
    ) -> None:
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name.startswith(_TRAINED_PARTS))
        super().__init__(
            model, initial_weights, tokenizer, optimizer, lr_scheduler, reference_batch_size
        )
        self.criterion = PhraseScoreLoss() if criterion is None else criterion

    def on_train_epoch_start(self) -> None:
        """Keep the frozen image encoder's statistics as they are."""
        self.model.grounder.image_encoder.eval()

    def training_step(self, batch: PhraseBatch, batch_idx: int) -> Float[Tensor, ""]:
        """Compute the loss of a batch of clips; every frame counts by itself.

        Args:
            batch: Clips with a prompt each.
            batch_idx: Position of the batch in the epoch.

        Returns:
            The loss ``[]``.
        """
        del batch_idx
        word_logits, labels = self.word_scores(batch)
        loss: Tensor = self.criterion(word_logits, labels)
        recall = (word_logits[labels == 1] > 0).float().mean()
        self.report_loss(loss, {"recall": recall}, batch.sample_ids)
        return loss

    def best_hits(self, batch: PhraseBatch) -> Float[Tensor, " n"]:
        """Tell whether the best (token, word) pair of a frame is a true one.

        Args:
            batch: Clips with a prompt each.

        Returns:
            1 or 0 ``[N]`` per frame of which any phrase is true.
        """
        return best_pair_hits(*self.word_scores(batch))

    def word_scores(
        self, batch: PhraseBatch
    ) -> tuple[Float[Tensor, "n s l"], Int[Tensor, "n s l"]]:
        """Score every encoder token for every word.

        Args:
            batch: Clips with a prompt each.

        Returns:
            Logits ``[N, S, L]`` and labels ``[N, S, L]`` of all frames, open on what is not usable.
        """
        grounder, tokens = self.model.grounder, self.model.tokenize(batch.prompts)
        frames, num_frames = batch.frames.flatten(0, 1), batch.frames.shape[1]
        valid_pixels = torch.ones_like(frames[:, 0], dtype=torch.bool)
        expressions = grounder.text_encoder(tokens).repeat_frames(num_frames)
        image = grounder.image_encoder(frames, valid_pixels)
        proposals = grounder.proposal_selector(grounder.fusion_encoder(image, expressions), image)
        words = phrase_of_token(tokens.input_ids)
        labels = batch_token_labels(batch.phrase_maps, words, image.level_shapes)
        usable = proposals.token_usable.unsqueeze(2) & expressions.valid.unsqueeze(1)
        labels_or_open = labels.flatten(0, 1).masked_fill(~usable, OPEN_LABEL)
        return proposals.word_logits.float(), labels_or_open


def best_pair_hits(
    word_logits: Float[Tensor, "b s l"], labels: Int[Tensor, "b s l"]
) -> Float[Tensor, " n"]:
    """Tell for every frame whether the best (token, word) pair is true.

    Args:
        word_logits: ``[B, S, L]``.
        labels: ``[B, S, L]``: 1 true, 0 false, -100 open.

    Returns:
        1 or 0 ``[N]`` per frame of which any phrase is true.

    Example:
        >>> best_pair_hits(torch.tensor([[[0.0, 2.0]]]), torch.tensor([[[1, 0]]])).tolist()
        [0.0]
    """
    known = word_logits.masked_fill(labels == OPEN_LABEL, float("-inf")).flatten(1)
    hits = labels.flatten(1).gather(1, known.argmax(1, keepdim=True)).squeeze(1) == 1
    return hits[(labels == 1).flatten(1).any(1)].float()
