"""Memory-augmented tracker (ReferDINO, section 3.3): one query index, one object."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn.functional import cosine_similarity

from rvos.layers.described import DescribedModule
from rvos.models.grounding_dino.proposals import text_similarity
from rvos.structures import ReferenceText


class MemoryAugmentedTracker(DescribedModule):
    """Aligns the queries of every frame with a memory by Hungarian assignment on cosine similarity.

    The memory starts as frame 0 and follows the aligned queries,
    ``M_t = (1 - alpha c_t) M_(t-1) + alpha c_t O_t``; c_t is how well each query fits the
    expression: ``released`` scales the best dot product to [0, 1] over the queries of the frame,
    ``paper`` takes the cosine similarity, negative values as 0.

    Args:
        momentum: alpha, how fast the memory follows, in [0, 1].
        confidence: Which c_t.
    """

    def __init__(
        self, momentum: float = 0.1, confidence: Literal["released", "paper"] = "released"
    ) -> None:
        super().__init__()
        self.momentum = momentum
        self.confidence = {
            "released": min_max_similarity,
            "paper": cosine_confidence,
        }[confidence]

    @torch.no_grad()
    def forward(
        self, queries: Float[Tensor, "b t q c"], text: ReferenceText
    ) -> Int[Tensor, "b t q"]:
        """Find which query of each frame continues which track.

        Tracks are numbered by frame 0's order. No gradient flows through the assignment.

        Args:
            queries: ``[B, T, Q, C]``, each frame in its own order.
            text: Expression features of the B*T frames.

        Returns:
            Positions ``[B, T, Q]``: track q is query ``[b, t, result[b, t, q]]``.

        Example:
            >>> queries = torch.eye(4).expand(1, 3, 4, 4)
            >>> text = ReferenceText(torch.rand(3, 2, 4), torch.ones(3, 2, dtype=torch.bool))
            >>> MemoryAugmentedTracker()(queries, text)[0, 2]
            tensor([0, 1, 2, 3])
        """
        num_clips, num_frames, num_queries = queries.shape[:3]
        confidence = self.confidence(queries.flatten(0, 1), text)
        # The loop alternates with scipy on the host; one transfer beats one per frame.
        features = queries.detach().cpu()
        confidence = confidence.cpu().view(num_clips, num_frames, num_queries, 1)
        order = torch.arange(num_queries).repeat(num_clips, num_frames, 1)
        for clip in range(num_clips):
            memory = features[clip, 0]
            for frame in range(1, num_frames):
                similarity = cosine_similarity(
                    memory.unsqueeze(1), features[clip, frame].unsqueeze(0), dim=-1
                )
                # What is not a number costs as much as no likeness: the loss reports it, not scipy.
                cost = 1 - similarity.nan_to_num(0.0)
                _, columns = linear_sum_assignment(cost.float().numpy())
                order[clip, frame] = torch.from_numpy(columns)
                aligned = features[clip, frame, columns]
                rate = self.momentum * confidence[clip, frame, columns]
                memory = (1 - rate) * memory + rate * aligned
        return order.to(queries.device)


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
