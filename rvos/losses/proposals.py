"""Dense supervision of the encoder tokens' scores."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from rvos.losses.classification import sigmoid_focal_loss
from rvos.losses.normaliser import mean_over_ranks
from rvos.structures import ClipTargets


class TokenScoreLoss(nn.Module):
    """Focal loss that scores encoder tokens high inside referred objects and low elsewhere.

    Every word is scored by itself, as in GroundingDINO's contrastive pre-training (Liu et al.,
    ECCV 2024, section 3.5). The set loss alone reaches one proposal per target and, through the
    maximum over the words, one word: from random weights that word soon is the same in every
    expression, and no other learns what it means. Not part of the published method.

    Args:
        referred_weight: Weight of tokens inside referred objects.
        other_weight: Weight of tokens inside other objects, which the expression must tell apart.

    >>> clip = ClipTargets(torch.rand(1, 1, 4), torch.ones(1, 1, 8, 8, dtype=torch.bool),
    ...                    torch.ones(1, 1, dtype=torch.bool), torch.ones(1, dtype=torch.bool))
    >>> TokenScoreLoss()(torch.full((1, 1, 5, 3), 30.0), [(2, 2), (1, 1)], [clip]).item()
    0.0
    """

    def __init__(self, referred_weight: float = 1.0, other_weight: float = 1.0) -> None:
        super().__init__()
        self.referred_weight = referred_weight
        self.other_weight = other_weight

    def forward(
        self,
        word_logits: Float[Tensor, "b t s l"],
        level_shapes: Sequence[tuple[int, int]],
        targets: Sequence[ClipTargets],
    ) -> Float[Tensor, ""]:
        """Sum the losses of all valid pairs over the number of pairs inside referred objects.

        Args:
            word_logits: ``[B, T, S, L]``, levels concatenated; minus infinity where invalid.
            level_shapes: (height, width) of each level.
            targets: B clips with masks at the size of the padded frames.

        Returns:
            The loss; finite without any referred object.
        """
        annotated = torch.stack([clip.annotated_frames() for clip in targets])
        valid = word_logits.isfinite() & annotated[..., None, None]
        logits = word_logits.masked_fill(~valid, 0.0)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        referred = torch.stack(
            [_tokens_inside(clip.masks, clip.referred, level_shapes) for clip in targets]
        )
        others = torch.stack(
            [_tokens_inside(clip.masks, ~clip.referred, level_shapes) for clip in targets]
        )
        others, referred = (others & ~referred)[..., None], referred[..., None]
        weights = torch.ones_like(logits)
        weights = weights.masked_fill(others, self.other_weight)
        weights = weights.masked_fill(referred, self.referred_weight) * valid
        labels = referred.to(logits.dtype).expand_as(logits)
        loss = sigmoid_focal_loss(logits, labels) * weights
        num_positive = mean_over_ranks((referred & valid).sum()[None])[0]
        return loss.sum() / num_positive


def _tokens_inside(
    masks: Bool[Tensor, "n t h w"],
    chosen: Bool[Tensor, " n"],
    level_shapes: Sequence[tuple[int, int]],
) -> Bool[Tensor, "t s"]:
    """Tell which token centres lie on a chosen object."""
    inside = (masks & chosen[:, None, None, None]).any(dim=0)[:, None].to(torch.uint8)
    # "nearest-exact" reads the pixel under the centre of each cell.
    levels = [F.interpolate(inside, size=shape, mode="nearest-exact") for shape in level_shapes]
    return torch.cat([level.flatten(1) for level in levels], dim=1).bool()
