"""Stage 0 of a training from scratch: backbone and pixel decoder learn what every pixel shows."""

from dataclasses import fields
from typing import cast

import torch
from jaxtyping import Float
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor, nn
from torchmetrics import MeanMetric

from rvos.datasets.attribute_batch import AttributeBatch
from rvos.datasets.moving_shapes.vocabulary import COLOURS, SHAPES, SIZES, TEXTURES
from rvos.losses import AttributeLabels, AttributeLogits, AttributeLosses, DenseAttributeLoss
from rvos.models.referdino import ReferDINO
from rvos.structures import ImageFeatures
from rvos.tasks.initial_weights import load_initial_weights
from rvos.tasks.optimized_task import OptimizedTask, published_optimizer

# Strides 8, 16 and 32; an object of a coarser level covers less than a cell.
_NUM_LEVELS = 3
_TRAINED_PARTS = ("grounder.image_encoder.", "pixel_decoder.")
# Only the fusion encoder, which does not run, reads it.
_NOT_REACHED = "grounder.image_encoder.level_embed"


class AttributeHeads(nn.Module):
    """One 1x1 convolution per attribute on the mask features.

    Args:
        hidden_dim: Channels of the mask features.

    Example:
        >>> AttributeHeads(8)(torch.zeros(1, 8, 4, 6)).foreground.shape
        torch.Size([1, 2, 4, 6])
    """

    def __init__(self, hidden_dim: int) -> None:
        super().__init__()
        num_classes = {
            "foreground": 2,
            "shape": len(SHAPES),
            "colour": len(COLOURS),
            "size": len(SIZES),
            "texture": len(TEXTURES),
        }
        self.heads = nn.ModuleDict(
            {name: nn.Conv2d(hidden_dim, number, 1) for name, number in num_classes.items()}
        )

    def forward(self, mask_features: Float[Tensor, "b c h w"]) -> AttributeLogits:
        """Classify every cell.

        Args:
            mask_features: ``[B, C, H, W]``.

        Returns:
            Logits of every attribute.
        """
        return AttributeLogits(**{name: head(mask_features) for name, head in self.heads.items()})


class DensePretrainingTask(OptimizedTask):
    """Train backbone, projections and pixel decoder with labels at every pixel.

    Not part of the published method, which starts from pre-trained weights: a backbone that starts
    from random weights learns shapes far sooner this way. Heads on the grounder's levels beside
    that on the mask features keep the pixel decoder's narrow end from holding the backbone back.
    The other parts do not run and keep their initial weights; the heads are thrown away.

    Args:
        model: The model whose backbone and pixel decoder are trained.
        criterion: The loss; None weighs all attributes alike.
        level_weight: Weight of the loss on each of the grounder's levels down to stride 32.
        initial_weights: Where training starts from; None = random weights.
        optimizer: Builds the optimizer of everything trainable.
        lr_scheduler: Builds the schedule; rvos's own advance per step, torch's per epoch.
        reference_batch_size: Batch size that the learning rate is meant for; None = as it is.
    """

    def __init__(
        self,
        model: ReferDINO,
        criterion: DenseAttributeLoss | None = None,
        level_weight: float = 0.5,
        initial_weights: str | None = None,
        optimizer: OptimizerCallable = published_optimizer,
        lr_scheduler: LRSchedulerCallable | None = None,
        reference_batch_size: int | None = None,
    ) -> None:
        super().__init__(optimizer, lr_scheduler, reference_batch_size)
        self.model = model
        self.heads = AttributeHeads(model.grounder.hidden_dim)
        self.level_heads = nn.ModuleList(
            AttributeHeads(model.grounder.hidden_dim) for _ in range(_NUM_LEVELS)
        )
        self.level_weight = level_weight
        self.criterion = DenseAttributeLoss() if criterion is None else criterion
        self.accuracies = nn.ModuleDict(
            # A batch without a single pixel of an attribute has no accuracy.
            {field.name: MeanMetric(nan_strategy="ignore") for field in fields(AttributeLogits)}
        )
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name.startswith(_TRAINED_PARTS) and name != _NOT_REACHED)
        if initial_weights is not None:
            load_initial_weights(model, initial_weights)

    def training_step(self, batch: AttributeBatch, batch_idx: int) -> Float[Tensor, ""]:
        """Compute the loss of a batch of frames.

        Args:
            batch: Frames with labels at every pixel.
            batch_idx: Position of the batch in the epoch.

        Returns:
            The weighted total ``[]``.
        """
        del batch_idx
        image = self.model.encode_frames(batch.frames.unsqueeze(1))[0]
        losses = self._losses(batch, image)
        levels = self._level_features(image)
        level_losses = [
            self.criterion(head(level.float()), _labels(batch)).total
            for head, level in zip(self.level_heads, levels, strict=True)
        ]
        total = losses.total + self.level_weight * torch.stack(level_losses).sum()
        accuracies = {f"accuracy_{name}": value for name, value in losses.accuracies.items()}
        self.report_loss(total, losses.terms | accuracies, batch.sample_ids)
        return total

    def validation_step(self, batch: AttributeBatch, batch_idx: int) -> None:
        """Measure the share of pixels whose attributes are right.

        Args:
            batch: Frames with labels at every pixel.
            batch_idx: Position of the batch.
        """
        del batch_idx
        image = self.model.encode_frames(batch.frames.unsqueeze(1))[0]
        for name, accuracy in self._losses(batch, image).accuracies.items():
            self._metric(name).update(accuracy)

    def on_validation_epoch_end(self) -> None:
        """Log the accuracy of every attribute and their mean."""
        values = {name: self._metric(name).compute() for name in self.accuracies}
        mean = torch.stack(list(values.values())).mean()
        self.log_dict({f"val/accuracy/{name}": value for name, value in values.items()})
        self.log("val/accuracy", mean, prog_bar=True)
        for name in self.accuracies:
            self._metric(name).reset()

    def _metric(self, name: str) -> MeanMetric:
        return cast("MeanMetric", self.accuracies[name])

    def _losses(self, batch: AttributeBatch, image: ImageFeatures) -> AttributeLosses:
        mask_features = self.model.pixel_decoder(image.tokens, image)
        losses: AttributeLosses = self.criterion(self.heads(mask_features.float()), _labels(batch))
        return losses

    @staticmethod
    def _level_features(image: ImageFeatures) -> list[Tensor]:
        """Projected features ``[B, C, h, w]`` of the levels that have heads."""
        sizes = [height * width for height, width in image.level_shapes]
        parts = zip(image.tokens.split(sizes, 1), image.level_shapes, strict=True)
        levels = [tokens.transpose(1, 2).unflatten(2, shape) for tokens, shape in parts]
        return levels[:_NUM_LEVELS]


def _labels(batch: AttributeBatch) -> AttributeLabels:
    return AttributeLabels(
        foreground=batch.foreground,
        shape=batch.shape,
        colour=batch.colour,
        size=batch.size,
        texture=batch.texture,
    )
