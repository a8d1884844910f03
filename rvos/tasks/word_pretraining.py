"""Between stage 0 and the image stage: the fusion encoder learns what words mean."""

import torch
from jaxtyping import Float
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor
from torchmetrics import MeanMetric

from rvos.losses import TokenScoreLoss
from rvos.models.referdino import ReferDINO
from rvos.structures import VideoBatch
from rvos.tasks.initial_weights import load_initial_weights
from rvos.tasks.optimized_task import OptimizedTask, published_optimizer
from rvos.tasks.tokenizers import MOVING_SHAPES_TOKENIZER, open_tokenizer

_TRAINED_PARTS = (
    "grounder.text_encoder.",
    "grounder.fusion_encoder.",
    "grounder.proposal_selector.norm.",
    "grounder.proposal_selector.projection.",
)


class WordPretrainingTask(OptimizedTask):
    """Train text encoder, fusion encoder and proposal scores on single frames; nothing else runs.

    Not part of the published method, which starts from GroundingDINO. From random weights the
    gradients of boxes and masks drown those of the words; alone, the words are learned in minutes.

    Args:
        model: The model; its image encoder is frozen.
        criterion: Scores every encoder token for every word; None = ``TokenScoreLoss()``.
        initial_weights: Where training starts from: a checkpoint of the dense or image stage.
        tokenizer: ``moving_shapes`` for the package's own, or a folder or hub id.
        optimizer: Builds the optimizer of everything trainable.
        lr_scheduler: Builds the schedule; rvos's own advance per step, torch's per epoch.
        reference_batch_size: Batch size that the learning rate is meant for; None = as it is.
    """

    def __init__(
        self,
        model: ReferDINO,
        criterion: TokenScoreLoss | None = None,
        initial_weights: str | None = None,
        tokenizer: str = MOVING_SHAPES_TOKENIZER,
        optimizer: OptimizerCallable = published_optimizer,
        lr_scheduler: LRSchedulerCallable | None = None,
        reference_batch_size: int | None = None,
    ) -> None:
        super().__init__(optimizer, lr_scheduler, reference_batch_size)
        self.model = model
        self.criterion = TokenScoreLoss() if criterion is None else criterion
        self.accuracy = MeanMetric()
        model.tokenizer = open_tokenizer(tokenizer, model.tokenizer.max_tokens)
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name.startswith(_TRAINED_PARTS))
        if initial_weights is not None:
            load_initial_weights(model, initial_weights)

    def on_train_epoch_start(self) -> None:
        """Keep the frozen image encoder's statistics as they are."""
        self.model.grounder.image_encoder.eval()

    def training_step(self, batch: VideoBatch, batch_idx: int) -> Float[Tensor, ""]:
        """Compute the loss of a batch of clips.

        Args:
            batch: Clips of any length; every frame counts by itself.
            batch_idx: Position of the batch in the epoch.

        Returns:
            The loss ``[]``.
        """
        del batch_idx
        word_logits, level_shapes = self.word_scores(batch)
        loss: Tensor = self.criterion(word_logits, level_shapes, batch.targets)
        hits = best_token_hits(word_logits, level_shapes, batch)
        self.report_loss(loss, {"accuracy": hits.float().mean()}, batch.sample_ids)
        return loss

    def validation_step(self, batch: VideoBatch, batch_idx: int) -> None:
        """Measure how often the best encoder token of a frame lies on a referred object.

        Args:
            batch: Clips of any length.
            batch_idx: Position of the batch.
        """
        del batch_idx
        hits = best_token_hits(*self.word_scores(batch), batch)
        if hits.numel():
            self.accuracy.update(hits.float())

    def on_validation_epoch_end(self) -> None:
        """Log the accuracy."""
        self.log("val/accuracy", self.accuracy.compute(), prog_bar=True)
        self.accuracy.reset()

    def word_scores(
        self, batch: VideoBatch
    ) -> tuple[Float[Tensor, "b t s l"], list[tuple[int, int]]]:
        """Score every encoder token for every word.

        Args:
            batch: Clips of any length.

        Returns:
            Logits ``[B, T, S, L]``, minus infinity on what is not usable, and the levels' shapes.
        """
        grounder, num_frames = self.model.grounder, batch.frames.shape[1]
        expressions = grounder.text_encoder(self.model.tokenize(batch.expressions))
        image = grounder.image_encoder(batch.frames.flatten(0, 1), batch.valid_pixels.flatten(0, 1))
        fused = grounder.fusion_encoder(image, expressions.repeat_frames(num_frames))
        proposals = grounder.proposal_selector(fused, image)
        unusable = ~proposals.token_usable.unsqueeze(-1)
        logits = proposals.word_logits.float().masked_fill(unusable, float("-inf"))
        return logits.unflatten(0, (-1, num_frames)), image.level_shapes


def best_token_hits(
    word_logits: Float[Tensor, "b t s l"], level_shapes: list[tuple[int, int]], batch: VideoBatch
) -> Tensor:
    """Tell whether the best token of the finest level lies on a referred object.

    Args:
        word_logits: ``[B, T, S, L]``.
        level_shapes: (height, width) of each level.
        batch: The clips.

    Returns:
        One flag per frame in which a referred object is visible.
    """
    height, width = level_shapes[0]
    best = word_logits[:, :, : height * width].amax(-1).argmax(-1)
    cell_height = batch.frames.shape[-2] // height
    cell_width = batch.frames.shape[-1] // width
    rows = best // width * cell_height + cell_height // 2
    columns = best % width * cell_width + cell_width // 2
    hits = []
    for targets, clip_rows, clip_columns in zip(batch.targets, rows, columns, strict=True):
        union = targets.masks[targets.referred].any(dim=0)
        visible = union.flatten(1).any(dim=1)
        frames = visible.nonzero().flatten()
        hits.append(union[frames, clip_rows[frames], clip_columns[frames]])
    return torch.cat(hits)
