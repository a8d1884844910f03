"""Binary focal loss and the matching cost that goes with it."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

FOCAL_ALPHA = 0.25
FOCAL_GAMMA = 2.0


def sigmoid_focal_loss(
    logits: Float[Tensor, "*s"],
    targets: Float[Tensor, "*s"],
    alpha: float = FOCAL_ALPHA,
    gamma: float = FOCAL_GAMMA,
) -> Float[Tensor, "*s"]:
    """Focal loss of every element (Lin et al. 2017, equation 5).

    Args:
        logits: ``[*S]``.
        targets: ``[*S]``, 1 for positive, 0 for negative.
        alpha: Weight of positives; negatives weigh 1 - alpha.
        gamma: How strongly well classified elements are played down.

    Returns:
        ``[*S]``, not reduced.

    >>> import torch
    >>> round(sigmoid_focal_loss(torch.zeros(1), torch.ones(1)).item(), 4)
    0.0433
    """
    probability = logits.sigmoid()
    cross_entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    error = probability + targets - 2 * probability * targets
    weight = alpha * targets + (1 - alpha) * (1 - targets)
    return weight * error**gamma * cross_entropy


def focal_class_cost(
    logits: Float[Tensor, "*s"], alpha: float = FOCAL_ALPHA, gamma: float = FOCAL_GAMMA
) -> Float[Tensor, "*s"]:
    """Focal loss as a positive minus focal loss as a negative: the cost of calling it positive.

    Args:
        logits: ``[*S]``.
        alpha: Weight of positives.
        gamma: Focusing exponent.

    Returns:
        ``[*S]``, lower for higher logits.

    >>> import torch
    >>> focal_class_cost(torch.tensor([-2.0, 2.0])).diff().item() < 0
    True
    """
    probability = logits.sigmoid()
    positive = -alpha * (1 - probability) ** gamma * (probability + 1e-8).log()
    negative = -(1 - alpha) * probability**gamma * (1 - probability + 1e-8).log()
    return positive - negative
