"""Two-stage selection: the encoder tokens that become object queries."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from rvos.models.grounding_dino.fusion_encoder import FusedFeatures
from rvos.ops.gather import gather_queries
from rvos.ops.precision import at_least_float32, without_autocast
from rvos.structures import ImageFeatures, ReferenceText


@dataclass
class Proposals:
    """The best encoder tokens of every frame, best first.

    Attributes:
        features: ``[N, Q, C]`` token features, with gradient.
        initial_boxes_cxcywh: ``[N, Q, 4]`` grid boxes before refinement.
        boxes_cxcywh: ``[N, Q, 4]`` refined boxes, with gradient.
        word_logits: ``[N, S, L]`` of all tokens for all words, minus infinity on text padding.
        token_logits: ``[N, S]`` scores of all tokens, the largest over the words.
        token_usable: ``[N, S]``, False on padding and too close to the border.
        indices: ``[N, Q]`` positions of the chosen tokens.
    """

    features: Float[Tensor, "n q c"]
    initial_boxes_cxcywh: Float[Tensor, "n q 4"]
    boxes_cxcywh: Float[Tensor, "n q 4"]
    word_logits: Float[Tensor, "n s l"]
    token_logits: Float[Tensor, "n s"]
    token_usable: Bool[Tensor, "n s"]
    indices: Int[Tensor, "n q"]


def text_similarity(queries: Float[Tensor, "n q c"], text: ReferenceText) -> Float[Tensor, "n q"]:
    """Score queries by their best dot product with a token of the expression.

    Args:
        queries: ``[N, Q, C]``.
        text: Expression features of the N frames; padding is left out.

    Returns:
        Logits ``[N, Q]``.

    Example:
        >>> text = ReferenceText(torch.ones(1, 2, 4), torch.tensor([[True, False]]))
        >>> text_similarity(torch.ones(1, 3, 4), text)
        tensor([[4., 4., 4.]])
    """
    return word_similarity(queries, text).amax(-1)


def word_similarity(queries: Float[Tensor, "n q c"], text: ReferenceText) -> Float[Tensor, "n q l"]:
    """Dot product of queries with every token of the expression.

    Args:
        queries: ``[N, Q, C]``.
        text: Expression features of the N frames.

    Returns:
        Logits ``[N, Q, L]``, minus infinity on padding.
    """
    # Rounded scores are equal scores, and equal scores decide nothing.
    with without_autocast(queries.device):
        words = at_least_float32(text.features).transpose(-1, -2)
        similarity = at_least_float32(queries) @ words
    return similarity.masked_fill(~text.valid.unsqueeze(1), float("-inf"))


class ProposalSelector(nn.Module):
    """Scores every encoder token against the expression and keeps the best.

    Args:
        projection: Linear layer on the memory.
        norm: Norm after it.
        box_head: Predicts box offsets from token features.
        num_queries: How many proposals at most; fewer where a frame has fewer tokens.
    """

    def __init__(
        self, projection: nn.Linear, norm: nn.LayerNorm, box_head: nn.Module, num_queries: int
    ) -> None:
        super().__init__()
        self.projection = projection
        self.norm = norm
        self.box_head = box_head
        self.num_queries = num_queries

    def forward(self, fused: FusedFeatures, image: ImageFeatures) -> Proposals:
        """Select proposals.

        Args:
            fused: Memory and expression of N frames.
            image: Their geometry.
        """
        # In single precision: the rank of a token decides what it is taken for.
        with without_autocast(fused.memory.device):
            return self._select(fused, image)

    def _select(self, fused: FusedFeatures, image: ImageFeatures) -> Proposals:
        grid_logits, usable = self._grid(image)
        memory = at_least_float32(fused.memory).masked_fill(~usable.unsqueeze(-1), 0.0)
        features = self.norm(self.projection(memory))
        word_logits = word_similarity(features, fused.text)
        scores = word_logits.amax(-1)
        indices = scores.topk(min(self.num_queries, scores.shape[1]), dim=1).indices
        chosen = gather_queries(features, indices)
        chosen_grid = gather_queries(grid_logits, indices).to(features.dtype)
        return Proposals(
            features=chosen,
            initial_boxes_cxcywh=chosen_grid.sigmoid(),
            boxes_cxcywh=(chosen_grid + self.box_head(chosen)).sigmoid(),
            word_logits=word_logits,
            token_logits=scores,
            token_usable=usable,
            indices=indices,
        )

    @staticmethod
    def _grid(image: ImageFeatures) -> tuple[Tensor, Tensor]:
        """Logits of one box per token, infinite where the token is not usable."""
        boxes, start = [], 0
        for level, (height, width) in enumerate(image.level_shapes):
            valid = image.token_valid[:, start : start + height * width]
            valid = valid.unflatten(1, (height, width))
            start += height * width
            rows = torch.arange(height, device=valid.device) + 0.5
            columns = torch.arange(width, device=valid.device) + 0.5
            y = rows / valid[:, :, 0].sum(1, keepdim=True)
            x = columns / valid[:, 0, :].sum(1, keepdim=True)
            centres = torch.stack(
                (
                    x.unsqueeze(1).expand(-1, height, -1).flatten(1),
                    y.unsqueeze(2).expand(-1, -1, width).flatten(1),
                ),
                -1,
            )
            sides = torch.full_like(centres, 0.05 * 2.0**level)
            boxes.append(torch.cat((centres, sides), -1))
        grid = torch.cat(boxes, 1)
        usable = ((grid > 0.01) & (grid < 0.99)).all(-1) & image.token_valid
        # Float32 geometry in every precision, as released. Rounded once from float64: float32
        # logarithms differ by one unit between builds of torch, which moves mask logits by 1e-5.
        logits = (grid / (1 - grid)).double().log().float()
        return logits.masked_fill(~usable.unsqueeze(-1), float("inf")), usable
