"""From every object query's prediction to the masks of one expression."""

from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int

MaskStretch = Literal["released", "exact"]

_MASK_STRIDE = 4


def track_scores(pred_logits: Float[torch.Tensor, "t q 1"]) -> Float[torch.Tensor, " q"]:
    """Score each track by its mean probability over the frames.

    Args:
        pred_logits: ``[T, Q, 1]``.

    Returns:
        ``[Q]`` in [0, 1].

    >>> track_scores(torch.zeros(2, 3, 1)).tolist()
    [0.5, 0.5, 0.5]
    """
    return pred_logits.sigmoid().mean(dim=0).squeeze(-1)


@runtime_checkable
class TrackSelection(Protocol):
    """Chooses the tracks that an expression refers to."""

    def __call__(self, pred_logits: Float[torch.Tensor, "t q 1"]) -> Int[torch.Tensor, " n"]:
        """Choose tracks.

        Args:
            pred_logits: ``[T, Q, 1]``.

        Returns:
            Positions ``[N]``, the best first; N = 0 where nothing is there.
        """


@dataclass(frozen=True)
class TopOne:
    """The one track with the highest score: the rule of Ref-YouTube-VOS and Ref-DAVIS.

    >>> TopOne()(torch.tensor([[[0.0], [2.0], [1.0]]])).tolist()
    [1]
    """

    def __call__(self, pred_logits: Float[torch.Tensor, "t q 1"]) -> Int[torch.Tensor, " n"]:
        """Choose the best track.

        Args:
            pred_logits: ``[T, Q, 1]``.

        Returns:
            Its position ``[N]``, N = 1.
        """
        return track_scores(pred_logits).argmax(dim=0, keepdim=True)


@dataclass(frozen=True)
class ThresholdUnion:
    """Every track whose score exceeds a threshold, else the best one: the rule of MeViS.

    Attributes:
        threshold: Smallest mean probability that does not count, in [0, 1].

    >>> ThresholdUnion()(torch.tensor([[[0.0], [2.0], [-4.0]]])).tolist()
    [1, 0]
    """

    threshold: float = 0.2

    def __call__(self, pred_logits: Float[torch.Tensor, "t q 1"]) -> Int[torch.Tensor, " n"]:
        """Choose the tracks above the threshold.

        Args:
            pred_logits: ``[T, Q, 1]``.

        Returns:
            Positions ``[N]``, N >= 1, best first.
        """
        scores, order = track_scores(pred_logits).sort(descending=True, stable=True)
        num_chosen = max(1, int((scores > self.threshold).sum()))
        return order[:num_chosen]


@dataclass(frozen=True)
class NoTargetDecision:
    """Nothing where not even the best track is sure enough, else what another rule chooses.

    For expressions without target, as version 2 of MeViS has them. With the defaults it is
    ``ThresholdUnion`` without its fallback. No threshold is published.

    Attributes:
        target_threshold: What the best track's mean probability must exceed, in [0, 1].
        selection: The rule where something is there.

    >>> logits = torch.tensor([[[0.0], [2.0], [-4.0]]])
    >>> NoTargetDecision(0.9)(logits).tolist(), NoTargetDecision(0.5, TopOne())(logits).tolist()
    ([], [1])
    """

    # Not `threshold`: by that name alone a command line could mean the other rule.
    target_threshold: float = 0.2
    # The first two by name, too: on the command line the protocol matches no class.
    selection: TopOne | ThresholdUnion | TrackSelection = field(default_factory=ThresholdUnion)

    def __call__(self, pred_logits: Float[torch.Tensor, "t q 1"]) -> Int[torch.Tensor, " n"]:
        """Choose tracks, or none.

        Args:
            pred_logits: ``[T, Q, 1]``.

        Returns:
            Positions ``[N]``, best first; N = 0 where nothing is there.
        """
        chosen = self.selection(pred_logits)
        is_target = track_scores(pred_logits).max() > self.target_threshold
        return chosen if is_target else chosen[:0]


def choose_selection(union: float | None, no_target: float | None) -> TrackSelection:
    """Compose the rule that says which tracks are meant.

    Args:
        union: Mean score of the tracks to unite; None takes the best one alone.
        no_target: Mean score up to which nothing is found; None always finds something.

    Returns:
        The rule.

    >>> choose_selection(None, 0.3)
    NoTargetDecision(target_threshold=0.3, selection=TopOne())
    """
    selection: TrackSelection = TopOne() if union is None else ThresholdUnion(union)
    return selection if no_target is None else NoTargetDecision(no_target, selection)


def resize_mask_logits(
    mask_logits: Float[torch.Tensor, "*s h w"],
    input_size: tuple[int, int],
    output_size: tuple[int, int],
    stretch: MaskStretch = "released",
) -> Float[torch.Tensor, "*s oh ow"]:
    """Bring stride-4 mask logits to the size of the video (bilinear, corners not aligned).

    The map covers ceil(H/4)*4 x ceil(W/4)*4 pixels of the model's input, up to three rows and
    columns more than there are. ``released`` stretches it over the video all the same, as the
    released implementation does; ``exact`` goes to the input's pixels, cuts the surplus off and
    then goes to the video. The default is what released weights were evaluated with.

    Args:
        mask_logits: ``[*S, H, W]`` at stride 4.
        input_size: (height, width) of the frames that the model saw, without padding.
        output_size: (height, width) wanted.
        stretch: What to do about the surplus.

    Returns:
        ``[*S, OH, OW]``.

    >>> resize_mask_logits(torch.zeros(2, 3, 3), (9, 12), (18, 24), stretch="exact").shape
    torch.Size([2, 18, 24])
    """
    flat = mask_logits.reshape(-1, 1, *mask_logits.shape[-2:])
    height, width = flat.shape[-2] * _MASK_STRIDE, flat.shape[-1] * _MASK_STRIDE
    if stretch == "exact" and (height, width) != input_size:
        flat = F.interpolate(flat, (height, width), mode="bilinear", align_corners=False)
        flat = flat[..., : input_size[0], : input_size[1]]
    flat = F.interpolate(flat, output_size, mode="bilinear", align_corners=False)
    return flat.reshape(*mask_logits.shape[:-2], *output_size)


def union_of_masks(mask_logits: Float[torch.Tensor, "n *t h w"]) -> Bool[torch.Tensor, "*t h w"]:
    """Unite the masks of several tracks.

    Args:
        mask_logits: ``[N, *T, H, W]``; positive inside the object.

    Returns:
        ``[*T, H, W]``, True on any of the objects; nowhere for N = 0.

    >>> union_of_masks(torch.tensor([[[1.0, -1.0]], [[0.0, 2.0]]])).tolist()
    [[True, True]]
    """
    return (mask_logits > 0).any(dim=0)
