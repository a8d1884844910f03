"""The text part of GroundingDINO before fusion."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from rvos.models.grounding_dino.prompt import phrase_blocks
from rvos.ops.position_embedding import sine_embedding
from rvos.ops.precision import without_autocast
from rvos.structures import ReferenceText, TextTokens


@dataclass
class ExpressionFeatures:
    """Encoded expressions, before they have seen a frame.

    Attributes:
        features: ``[B, L, C]``.
        positions: Sine embedding ``[B, L, C]`` of the position in the phrase.
        valid: ``[B, L]``, True on tokens, False on padding.
        may_attend: ``[B, L, L]``, True inside one phrase.
    """

    features: Float[Tensor, "b l c"]
    positions: Float[Tensor, "b l c"]
    valid: Bool[Tensor, "b l"]
    may_attend: Bool[Tensor, "b l l"]

    @property
    def unfused(self) -> ReferenceText:
        """The words as they are before a frame has changed them."""
        return ReferenceText(self.features, self.valid)

    def repeat_frames(self, num_frames: int) -> "ExpressionFeatures":
        """Repeat every expression for each frame of its clip."""
        return ExpressionFeatures(
            self.features.repeat_interleave(num_frames, 0),
            self.positions.repeat_interleave(num_frames, 0),
            self.valid.repeat_interleave(num_frames, 0),
            self.may_attend.repeat_interleave(num_frames, 0),
        )

    def select(self, start: int, stop: int) -> "ExpressionFeatures":
        """Cut out rows ``start`` to ``stop``."""
        return ExpressionFeatures(
            self.features[start:stop],
            self.positions[start:stop],
            self.valid[start:stop],
            self.may_attend[start:stop],
        )


class TextEncoder(nn.Module):
    """BERT with phrase-wise attention, then a projection.

    Args:
        bert: A transformers BERT without pooler.
        projection: From BERT's width to the model's.
    """

    def __init__(self, bert: nn.Module, projection: nn.Linear) -> None:
        super().__init__()
        self.bert = bert
        self.projection = projection

    def forward(self, tokens: TextTokens) -> ExpressionFeatures:
        """Encode expressions.

        Args:
            tokens: B tokenised expressions.
        """
        may_attend, position_ids = phrase_blocks(tokens.input_ids)
        # A few tokens per clip: single precision costs nothing, and every frame reads the result.
        with without_autocast(tokens.input_ids.device):
            hidden = self.bert(
                input_ids=tokens.input_ids,
                attention_mask=may_attend.unsqueeze(1),
                token_type_ids=torch.zeros_like(tokens.input_ids),
                position_ids=position_ids,
            ).last_hidden_state
            features = self.projection(hidden)
        positions = sine_embedding(position_ids.unsqueeze(-1).float(), features.shape[-1])
        positions = positions.to(features.dtype)
        return ExpressionFeatures(features, positions, tokens.attention_mask.bool(), may_attend)
