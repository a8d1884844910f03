"""Masks: from the frames' resolution to that of the mask logits."""

import torch.nn.functional as F
from jaxtyping import Bool
from torch import Tensor


def subsample_masks(masks: Bool[Tensor, "*s h w"], stride: int = 4) -> Bool[Tensor, "*s h2 w2"]:
    """Take the centre pixel of every cell of ``stride`` x ``stride``, without averaging.

    Args:
        masks: ``[*S, H, W]``.
        stride: Pixels of the mask per cell of the result.

    Returns:
        ``[*S, H2, W2]`` with H2 = ceil(H / stride), W2 = ceil(W / stride); a cell whose centre lies
        beyond the mask is False.

    >>> import torch
    >>> subsample_masks(torch.ones(6, 8, dtype=torch.bool)).tolist()
    [[True, True], [False, False]]
    """
    height, width = masks.shape[-2:]
    missing = (0, -width % stride, 0, -height % stride)
    padded = F.pad(masks, missing) if any(missing) else masks
    return padded[..., stride // 2 :: stride, stride // 2 :: stride]
