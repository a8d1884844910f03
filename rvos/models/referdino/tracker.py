"""Memory-augmented tracker (ReferDINO, section 3.3): one query index, one object."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize

from rvos.layers.described import DescribedModule
from rvos.models.grounding_dino.proposals import text_similarity
from rvos.models.referdino.track_memory import MemoryRule, TrackMemory
from rvos.ops.boxes import box_cxcywh_to_xyxy, box_iou
from rvos.ops.precision import at_least_float32
from rvos.structures import ReferenceText

_DUPLICATE_IOU = 0.5
_DUPLICATE_SHARE = 0.05


@dataclass
class FollowedTracks:
    """Tracks of B clips up to their last frame.

    Attributes:
        order: ``[B, T, Q]``: track q is query ``[b, t, order[b, t, q]]``.
        memories: One per clip.
    """

    order: Int[Tensor, "b t q"]
    memories: list[TrackMemory]


class MemoryAugmentedTracker(DescribedModule):
    """Aligns the queries of every frame with a memory by Hungarian assignment on cosine similarity.

    The memory starts as frame 0 and follows the aligned queries,
    ``M_t = (1 - alpha c_t) M_(t-1) + alpha c_t O_t``; c_t is how well each query fits the
    expression: ``released`` scales the best dot product to [0, 1] over the queries of the frame,
    ``paper`` takes the cosine similarity, negative values as 0.

    Cosine similarity alone cannot tell look-alikes apart, and a frame's duplicates of one object
    push each other onto the tracks of others. With ``locality`` the assignment maximises
    ``p_i p_j exp(cos_ij - 1 - locality d_ij)`` instead: d is the distance of the box centres, p the
    class probability of track and query, made small for all but the best query of an object. What
    the expression may mean is followed first, and duplicates take the tracks that are left.

    Args:
        momentum: alpha, how fast the memory follows, in [0, 1].
        confidence: Which c_t.
        locality: Weight of the distance, in 1 / frame sizes; None assigns as published.
        memory: ``momentum`` as published; ``mean`` follows ever more slowly, so that the memory is
            the mean of all frames, weighted with c_t, and does not drift over a long video.
    """

    def __init__(
        self,
        momentum: float = 0.1,
        confidence: Literal["released", "paper"] = "released",
        locality: float | None = None,
        memory: MemoryRule = "momentum",
    ) -> None:
        super().__init__()
        self.memory_rule: MemoryRule = memory
        self.momentum = momentum
        self.locality = locality
        self.confidence = {
            "released": min_max_similarity,
            "paper": cosine_confidence,
        }[confidence]

    @torch.no_grad()
    def forward(
        self,
        queries: Float[Tensor, "b t q c"],
        text: ReferenceText,
        boxes_cxcywh: Float[Tensor, "b t q 4"],
    ) -> Int[Tensor, "b t q"]:
        """Find which query of each frame continues which track.

        Tracks are numbered by frame 0's order. No gradient flows through the assignment.

        Args:
            queries: ``[B, T, Q, C]``, each frame in its own order.
            text: Expression features of the B*T frames.
            boxes_cxcywh: The queries' reference boxes ``[B, T, Q, 4]`` in [0, 1].

        Returns:
            Positions ``[B, T, Q]``: track q is query ``[b, t, result[b, t, q]]``.

        Example:
            >>> queries = torch.eye(4).expand(1, 3, 4, 4)
            >>> text = ReferenceText(torch.rand(3, 2, 4), torch.ones(3, 2, dtype=torch.bool))
            >>> MemoryAugmentedTracker()(queries, text, torch.rand(1, 3, 4, 4))[0, 2]
            tensor([0, 1, 2, 3])
        """
        return self.follow(queries, text, boxes_cxcywh).order

    @torch.no_grad()
    def follow(
        self,
        queries: Float[Tensor, "b t q c"],
        text: ReferenceText,
        boxes_cxcywh: Float[Tensor, "b t q 4"],
        memories: list[TrackMemory] | None = None,
    ) -> FollowedTracks:
        """Find which query of each frame continues which track, and what to remember of the tracks.

        A video may come in parts, each with the memories of the part before: the result is that of
        the whole.

        Args:
            queries: ``[B, T, Q, C]``, each frame in its own order.
            text: Expression features of the B*T frames.
            boxes_cxcywh: The queries' reference boxes ``[B, T, Q, 4]`` in [0, 1].
            memories: One per clip, of the frames before; None where these are the first.

        Returns:
            The order, and the memories after the last frame.
        """
        num_clips, num_frames, num_queries = queries.shape[:3]
        queries = at_least_float32(queries)
        flat = queries.flatten(0, 1)
        # The loop alternates with scipy on the host; one transfer beats one per frame.
        features = queries.detach().cpu()
        confidence = self.confidence(flat, text).cpu().view(num_clips, num_frames, num_queries, 1)
        boxes = boxes_cxcywh.detach().cpu()
        probability, centres = torch.zeros(boxes.shape[:3]), boxes[..., :2]
        if self.locality is not None:
            probability = text_similarity(flat, text).sigmoid().cpu().view(boxes.shape[:3])
            probability = probability * _best_of_object(boxes, probability)
        order = torch.arange(num_queries).repeat(num_clips, num_frames, 1)
        ends = []
        for clip in range(num_clips):
            track = None if memories is None else memories[clip]
            for frame in range(num_frames):
                found = TrackMemory(
                    features[clip, frame],
                    centres[clip, frame],
                    probability[clip, frame],
                    confidence[clip, frame],
                )
                if track is None:
                    track = found
                    continue
                affinity = _affinity(track, found, self.locality)
                # What is not a number is as unlike as can be: the loss reports it, not scipy.
                affinity = affinity.nan_to_num(0.0).float()
                _, columns = linear_sum_assignment(affinity.numpy(), maximize=True)
                order[clip, frame] = torch.from_numpy(columns)
                track = track.followed_by(
                    found.reordered(order[clip, frame]), self.momentum, self.memory_rule
                )
            ends += [] if track is None else [track]
        return FollowedTracks(order.to(queries.device), ends)


def _best_of_object(
    boxes_cxcywh: Float[Tensor, "b t q 4"], probability: Float[Tensor, "b t q"]
) -> Float[Tensor, "b t q"]:
    """Near 1 for a query that no better one overlaps, near 0 for duplicates."""
    corners = box_cxcywh_to_xyxy(boxes_cxcywh)
    overlapping = box_iou(corners, corners) > _DUPLICATE_IOU
    rank = probability.argsort(dim=-1, descending=True, stable=True).argsort(dim=-1)
    better = rank.unsqueeze(-2) < rank.unsqueeze(-1)
    duplicate = (overlapping & better).any(dim=-1)
    return _DUPLICATE_SHARE + (~duplicate).to(probability.dtype)


def _affinity(
    track: TrackMemory, found: TrackMemory, locality: float | None
) -> Float[Tensor, "q q"]:
    """How much each track (row) likes each query (column)."""
    # As a product: the quotients of all pairs of 450 queries would be 200 MB.
    similarity = normalize(track.features, dim=-1) @ normalize(found.features, dim=-1).T
    if locality is None:
        return similarity
    distance = (track.centres_xy.unsqueeze(1) - found.centres_xy.unsqueeze(0)).abs().sum(-1)
    wanted = track.probability.unsqueeze(1) * found.probability.unsqueeze(0)
    return wanted * (similarity - 1 - locality * distance).exp()


def min_max_similarity(
    queries: Float[Tensor, "n q c"], text: ReferenceText
) -> Float[Tensor, "n q"]:
    """Best dot product with the expression, scaled to [0, 1] over the queries of a frame.

    Where all queries are equal the scale is 0/0 in the released implementation; here it is 1.

    Args:
        queries: ``[N, Q, C]``.
        text: Expression features of the N frames.

    Returns:
        Confidence ``[N, Q]``.
    """
    best = text_similarity(queries, text)
    low, high = best.amin(-1, keepdim=True), best.amax(-1, keepdim=True)
    spread = high - low
    scaled = (best - low) / torch.where(spread > 0, spread, torch.ones_like(spread))
    return torch.where(spread > 0, scaled, torch.ones_like(scaled))


def cosine_confidence(queries: Float[Tensor, "n q c"], text: ReferenceText) -> Float[Tensor, "n q"]:
    """Best cosine similarity with a token of the expression, negative values as 0.

    Args:
        queries: ``[N, Q, C]``.
        text: Expression features of the N frames.

    Returns:
        Confidence ``[N, Q]``.
    """
    similarity = cosine_similarity(queries.unsqueeze(2), text.features.unsqueeze(1), dim=-1)
    return similarity.masked_fill(~text.valid.unsqueeze(1), 0.0).amax(-1).clamp(min=0)
