"""What the stages share that train on prompts of several phrases."""

from abc import ABC, abstractmethod

from jaxtyping import Float
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor
from torchmetrics import MeanMetric

from rvos.datasets.phrase_batch import PhraseBatch
from rvos.models.referdino import ReferDINO
from rvos.tasks.initial_weights import load_initial_weights
from rvos.tasks.optimized_task import OptimizedTask, published_optimizer
from rvos.tasks.tokenizers import MOVING_SHAPES_TOKENIZER, open_tokenizer


class PromptPretrainingTask(OptimizedTask, ABC):
    """Reads prompts with a tokenizer of its own, and is validated by one accuracy.

    Args:
        model: The model, with those parameters frozen that do not train.
        initial_weights: Where training starts from: a checkpoint of the stage before.
        tokenizer: ``moving_shapes`` for the package's own, or a folder or hub id.
        optimizer: Builds the optimizer of everything trainable.
        lr_scheduler: Builds the schedule; rvos's own advance per step, torch's per epoch.
        reference_batch_size: Batch size that the learning rate is meant for; None = as it is.
    """

    def __init__(
        self,
        model: ReferDINO,
        initial_weights: str | None = None,
        tokenizer: str = MOVING_SHAPES_TOKENIZER,
        optimizer: OptimizerCallable = published_optimizer,
        lr_scheduler: LRSchedulerCallable | None = None,
        reference_batch_size: int | None = None,
    ) -> None:
        super().__init__(optimizer, lr_scheduler, reference_batch_size)
        self.model = model
        self.accuracy = MeanMetric()
        model.tokenizer = open_tokenizer(tokenizer, model.tokenizer.max_tokens)
        if initial_weights is not None:
            load_initial_weights(model, initial_weights)

    @abstractmethod
    def best_hits(self, batch: PhraseBatch) -> Float[Tensor, " n"]:
        """Tell which of the best-scored answers are right.

        Args:
            batch: Clips with a prompt each.

        Returns:
            1 or 0 ``[N]`` per answer that can be judged.
        """

    def validation_step(self, batch: PhraseBatch, batch_idx: int) -> None:
        """Measure how often the best-scored answer is right, see ``best_hits``.

        Args:
            batch: Clips with a prompt each.
            batch_idx: Position of the batch.
        """
        del batch_idx
        hits = self.best_hits(batch)
        if hits.numel():
            self.accuracy.update(hits)

    def on_validation_epoch_end(self) -> None:
        """Log the accuracy."""
        self.log("val/accuracy", self.accuracy.compute(), prog_bar=True)
        self.accuracy.reset()
