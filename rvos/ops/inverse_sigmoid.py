"""Inverse of the sigmoid, with the clamp the released weights were trained with."""

from jaxtyping import Float
from torch import Tensor


def inverse_sigmoid(
    probabilities: Float[Tensor, "*shape"], eps: float = 1e-3
) -> Float[Tensor, "*shape"]:
    """Map probabilities back to logits, clamping numerator and denominator separately.

    ``eps`` decides the result on tiny boxes and on the (1, 1, 1, 1) references of invalid tokens,
    so it is part of the released numerics; transformers' ``logit(eps=1e-5)`` differs.

    Args:
        probabilities: Values in [0, 1], any shape.
        eps: Lower bound of numerator and denominator.

    Example:
        >>> import torch
        >>> inverse_sigmoid(torch.tensor([0.5, 1.0])).round(decimals=2)
        tensor([0.0000, 6.9100])
    """
    probabilities = probabilities.clamp(min=0, max=1)
    return (probabilities.clamp(min=eps) / (1 - probabilities).clamp(min=eps)).log()
