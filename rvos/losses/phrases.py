"""Which encoder tokens a prompt's words are true of."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from rvos.losses.classification import sigmoid_focal_loss
from rvos.losses.normaliser import mean_over_ranks

OPEN_LABEL = -100


class PhraseScoreLoss(nn.Module):
    """Focal loss of every (encoder token, word) pair, as in GroundingDINO's pre-training.

    A prompt of several phrases teaches several times as much as one expression, and every object
    answers to each of them (Liu et al., ECCV 2024, section 3.5).

    >>> PhraseScoreLoss()(torch.full((1, 5, 3), 30.0), torch.ones(1, 5, 3).long()).item()
    0.0
    """

    def forward(
        self, word_logits: Float[Tensor, "b s l"], labels: Int[Tensor, "b s l"]
    ) -> Float[Tensor, ""]:
        """Sum the losses of all pairs over the number of true ones.

        Args:
            word_logits: ``[B, S, L]``; minus infinity only where the label is open.
            labels: ``[B, S, L]``: 1 true, 0 false, -100 open, which counts for nothing.

        Returns:
            The loss; finite where no pair is true.
        """
        num_true = mean_over_ranks((labels == 1).sum()[None])[0]
        return summed_word_loss(word_logits, labels) / num_true


def summed_word_loss(
    word_logits: Float[Tensor, "*n l"], labels: Int[Tensor, "*n l"]
) -> Float[Tensor, ""]:
    """Sum the focal losses of all (place, word) pairs.

    Args:
        word_logits: ``[*N, L]``; minus infinity only where the label is open.
        labels: ``[*N, L]``: 1 true, 0 false, -100 open, which counts for nothing.

    Returns:
        The sum, in the precision of the scores.

    >>> summed_word_loss(torch.zeros(2, 1), torch.tensor([[1], [OPEN_LABEL]])).item() > 0
    True
    """
    known = labels != OPEN_LABEL
    logits = word_logits.masked_fill(~known, 0.0)
    losses = sigmoid_focal_loss(logits, (labels == 1).to(logits.dtype)) * known
    return losses.sum()


def token_word_labels(
    phrase_maps: Int[Tensor, "p h w"],
    phrase_of_word: Int[Tensor, " l"],
    level_shapes: list[tuple[int, int]],
) -> Int[Tensor, "s l"]:
    """Look up at every encoder token's centre which words of a prompt are true.

    Args:
        phrase_maps: ``[P, H, W]``: 1 where a phrase is true, 0 where not, -100 where it is open.
        phrase_of_word: ``[L]``: phrase that each word belongs to; -1 belongs to all of them, and is
            true where any phrase is.
        level_shapes: (height, width) of each level.

    Returns:
        ``[S, L]``, levels concatenated.

    >>> maps = torch.tensor([[[1, 0]], [[0, 0]]])
    >>> token_word_labels(maps, torch.tensor([-1, 0, 1]), [(1, 2)]).tolist()
    [[1, 1, 0], [0, 0, 0]]
    """
    maps = phrase_maps[:, None].float()
    # "nearest-exact" reads the pixel under the centre of each cell.
    levels = [F.interpolate(maps, size=shape, mode="nearest-exact") for shape in level_shapes]
    at_tokens = torch.cat([level.flatten(1) for level in levels], dim=1).long()
    return object_word_labels(at_tokens.T, phrase_of_word)


def batch_token_labels(
    phrase_maps: Sequence[Int[Tensor, "_p t h w"]],
    phrases_of_words: Int[Tensor, "b l"],
    level_shapes: list[tuple[int, int]],
) -> Int[Tensor, "b t s l"]:
    """Look up the labels of all frames of a batch, as ``token_word_labels`` does of one.

    Args:
        phrase_maps: B times ``[P, T, H, W]``.
        phrases_of_words: ``[B, L]``.
        level_shapes: (height, width) of each level.

    Returns:
        ``[B, T, S, L]``.

    >>> maps = [torch.tensor([[[[1, 0]], [[0, 0]]]])]
    >>> batch_token_labels(maps, torch.tensor([[0]]), [(1, 2)]).tolist()
    [[[[1], [0]], [[0], [0]]]]
    """
    clips = [
        torch.stack([token_word_labels(frame, words, level_shapes) for frame in maps.unbind(1)])
        for maps, words in zip(phrase_maps, phrases_of_words, strict=True)
    ]
    return torch.stack(clips)


def object_word_labels(
    judgements: Int[Tensor, "n p"], phrase_of_word: Int[Tensor, " l"]
) -> Int[Tensor, "n l"]:
    """Look up which words of a prompt are true of each object.

    Args:
        judgements: ``[N, P]``: 1 where a phrase is true, 0 where not, -100 where that is open.
        phrase_of_word: ``[L]``, as in ``token_word_labels``.

    Returns:
        ``[N, L]``.

    >>> object_word_labels(torch.tensor([[0, -100]]), torch.tensor([-1, 0, 0, 1])).tolist()
    [[-100, 0, 0, -100]]
    """
    # True wins over false, and open counts only where nothing is true.
    any_phrase = judgements.amax(1, keepdim=True)
    undecided = (judgements == OPEN_LABEL).any(1, keepdim=True) & (any_phrase != 1)
    any_phrase = any_phrase.masked_fill(undecided, OPEN_LABEL)
    return torch.cat((judgements, any_phrase), dim=1)[:, phrase_of_word]
