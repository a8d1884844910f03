"""Dense per-pixel supervision of what objects look like, to start a backbone from scratch."""

from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from rvos.losses.normaliser import mean_over_ranks

IGNORED_LABEL = -100


@dataclass
class AttributeLogits:
    """Class logits of every pixel; the number of classes differs between the maps.

    Attributes:
        foreground: ``[B, 2, h, w]`` background or object.
        shape: ``[B, K, h, w]``.
        colour: ``[B, K, h, w]``.
        size: ``[B, K, h, w]``.
        texture: ``[B, K, h, w]``.
    """

    foreground: Float[Tensor, "b 2 h w"]
    shape: Float[Tensor, "b _k h w"]
    colour: Float[Tensor, "b _k h w"]
    size: Float[Tensor, "b _k h w"]
    texture: Float[Tensor, "b _k h w"]


@dataclass
class AttributeLabels:
    """Class indices of every pixel; -100 is ignored (background has no shape, and so on).

    Attributes:
        foreground: ``[B, H, W]``.
        shape: ``[B, H, W]``.
        colour: ``[B, H, W]``.
        size: ``[B, H, W]``.
        texture: ``[B, H, W]``.
    """

    foreground: Int[Tensor, "b h w"]
    shape: Int[Tensor, "b h w"]
    colour: Int[Tensor, "b h w"]
    size: Int[Tensor, "b h w"]
    texture: Int[Tensor, "b h w"]


@dataclass
class AttributeLosses:
    """Losses and accuracies of one batch, by the names of the maps.

    Attributes:
        total: Weighted sum of the terms.
        terms: Mean cross-entropy of the counted pixels; 0 without any.
        accuracies: Share of counted pixels whose best class is right; NaN without any.
    """

    total: Float[Tensor, ""]
    terms: dict[str, Float[Tensor, ""]]
    accuracies: dict[str, Float[Tensor, ""]]


class DenseAttributeLoss(nn.Module):
    """Cross-entropy of foreground, shape, colour, size and texture at every pixel.

    Not part of the published method, which starts from pre-trained weights.

    Args:
        weights: Weight of single maps, 1 where not named; 0 switches a map off.

    Raises:
        ValueError: If a weight names no map.

    >>> scores = torch.zeros(1, 2, 4, 4)
    >>> labels = torch.zeros(1, 16, 16, dtype=torch.int64)
    >>> logits, labels = AttributeLogits(*[scores] * 5), AttributeLabels(*[labels] * 5)
    >>> losses = DenseAttributeLoss()(logits, labels)
    >>> round(losses.terms["shape"].item(), 4)
    0.6931
    """

    def __init__(self, weights: dict[str, float] | None = None) -> None:
        super().__init__()
        names = [field.name for field in fields(AttributeLogits)]
        unknown = sorted(set(weights or {}) - set(names))
        if unknown:
            message = f"No attribute map is called {', '.join(unknown)}; there are {names}."
            raise ValueError(message)
        self.weights = dict.fromkeys(names, 1.0) | (weights or {})

    def forward(self, logits: AttributeLogits, labels: AttributeLabels) -> AttributeLosses:
        """Compare maps at the resolution of the logits.

        Args:
            logits: Predictions, at any resolution.
            labels: Labels at the frames' resolution; the pixel under each cell's centre counts.

        Returns:
            Losses, finite also where a map has no counted pixel.
        """
        terms, accuracies = {}, {}
        for name in self.weights:
            map_logits: Tensor = getattr(logits, name)
            map_labels = subsample_labels(getattr(labels, name), map_logits.shape[-2:])
            counted = map_labels != IGNORED_LABEL
            num_counted = counted.sum()
            # Ranks may validate different numbers of batches, so there none waits for another.
            divisor = (
                mean_over_ranks(num_counted[None])[0] if self.training else num_counted.clamp(min=1)
            )
            entropy = F.cross_entropy(
                map_logits.float(), map_labels, ignore_index=IGNORED_LABEL, reduction="sum"
            )
            terms[name] = entropy / divisor
            correct = (map_logits.argmax(dim=1) == map_labels) & counted
            accuracies[name] = correct.sum() / num_counted
        total = torch.stack([self.weights[name] * term for name, term in terms.items()]).sum()
        return AttributeLosses(total, terms, accuracies)


def subsample_labels(
    labels: Int[Tensor, "b h w"], size: tuple[int, int] | torch.Size
) -> Int[Tensor, "b h2 w2"]:
    """Read the label under the centre of every cell of a coarser grid.

    Args:
        labels: ``[B, H, W]``.
        size: (H2, W2) of the grid.

    Returns:
        ``[B, H2, W2]`` as int64.

    >>> subsample_labels(torch.arange(16).reshape(1, 4, 4), (2, 2)).tolist()
    [[[5, 7], [13, 15]]]
    """
    rows, columns = (
        ((torch.arange(cells, device=labels.device) + 0.5) * (pixels / cells)).long()
        for cells, pixels in zip(size, labels.shape[1:], strict=True)
    )
    return labels[:, rows[:, None], columns].long()
