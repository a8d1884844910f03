"""Cross-modal temporal decoder (ReferDINO, section 3.3): tracks look along time and at the text."""

import contextlib
from collections.abc import Iterator
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rvos.layers.described import DescribedModule
from rvos.ops.position_embedding import sine_embedding
from rvos.ops.precision import at_least_float32, without_autocast

# Tracks do not see each other. Longer clips take them a few at a time, so that memory stays small.
_LONG_CLIP = 512
_ROWS_AT_A_TIME = 8192

# Frame widths (heights) per clip, either way; what is faster is told from nothing faster.
_GREATEST_SPEED = 2.0

TemporalPosition = Literal["none", "sine", "sine_and_box", "sine_box_and_motion"]


class TemporalBlock(nn.Module):
    """Self-attention along a track, then the frame-wise sentence reads the track.

    Args:
        hidden_dim: Channels.
        num_heads: Attention heads.
        feedforward_dim: Width of the sentence stream's feed-forward part.
    """

    def __init__(self, hidden_dim: int, num_heads: int, feedforward_dim: int) -> None:
        super().__init__()
        self.self_attention = nn.MultiheadAttention(hidden_dim, num_heads, batch_first=True)
        self.self_attention_norm = nn.LayerNorm(hidden_dim)
        self.sentence_decoder = nn.TransformerDecoderLayer(
            hidden_dim, num_heads, feedforward_dim, dropout=0.0, batch_first=True
        )
        self.norm = nn.LayerNorm(hidden_dim)

    def forward(
        self, tracks: Float[Tensor, "n t c"], sentences: Float[Tensor, "n t c"]
    ) -> tuple[Float[Tensor, "n t c"], Float[Tensor, "n t c"]]:
        """Mix frames.

        Args:
            tracks: N tracks ``[N, T, C]``.
            sentences: Sentence stream ``[N, T, C]``.

        Returns:
            Both streams, each ``[N, T, C]``.
        """
        attended, _ = self.self_attention(tracks, tracks, tracks, need_weights=False)
        tracks = self.self_attention_norm(tracks + attended)
        sentences = self.sentence_decoder(sentences, tracks)
        return self.norm(tracks + sentences), sentences


class CrossModalTemporalDecoder(DescribedModule):
    """Enhances tracks with the other frames of the clip and the frame-wise sentence features.

    The published decoder (``temporal_position="none"``) has no position in time and is
    permutation-equivariant over the frames, so it cannot tell the direction of a motion.
    ``sine`` adds an embedding of the frame's place in the clip, ``sine_and_box`` also one of the
    track's box, ``sine_box_and_motion`` also one of how the box has changed since the frame before.
    All projections start at zero: they change nothing in released weights.

    Args:
        hidden_dim: Channels.
        num_layers: Blocks.
        num_heads: Attention heads.
        feedforward_dim: Width of the feed-forward part.
        temporal_position: What the blocks may know of time and place.
    """

    def __init__(
        self,
        hidden_dim: int = 256,
        num_layers: int = 3,
        num_heads: int = 8,
        feedforward_dim: int = 2048,
        temporal_position: TemporalPosition = "none",
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            TemporalBlock(hidden_dim, num_heads, feedforward_dim) for _ in range(num_layers)
        )
        self.time_projection = _zero_linear(hidden_dim, hidden_dim, temporal_position != "none")
        with_box = temporal_position in {"sine_and_box", "sine_box_and_motion"}
        self.box_projection = _zero_linear(4 * hidden_dim, hidden_dim, with_box)
        with_motion = temporal_position == "sine_box_and_motion"
        self.motion_projection = _zero_linear(4 * hidden_dim, hidden_dim, with_motion)

    def forward(
        self,
        tracks: Float[Tensor, "b t q c"],
        sentences: Float[Tensor, "b t c"],
        boxes_cxcywh: Float[Tensor, "b t q 4"],
    ) -> Float[Tensor, "b t q c"]:
        """Enhance tracks.

        Args:
            tracks: Aligned queries ``[B, T, Q, C]``.
            sentences: Token 0 of the fused expression ``[B, T, C]``, one per frame.
            boxes_cxcywh: The tracks' reference boxes ``[B, T, Q, 4]`` in [0, 1].

        Returns:
            Enhanced tracks ``[B, T, Q, C]``.

        Example:
            >>> decoder = CrossModalTemporalDecoder(16, num_layers=1, num_heads=2)
            >>> boxes = torch.rand(1, 5, 3, 4)
            >>> decoder(torch.rand(1, 5, 3, 16), torch.rand(1, 5, 16), boxes).shape
            torch.Size([1, 5, 3, 16])
        """
        num_clips, num_queries = tracks.shape[0], tracks.shape[2]
        # A dozen queries per frame: what is left to choose from is told apart in single precision.
        with without_autocast(tracks.device):
            tracks = at_least_float32(tracks)
            tracks = tracks + self._position(tracks, boxes_cxcywh)
            sequence = tracks.transpose(1, 2).flatten(0, 1)
            stream = at_least_float32(sentences).repeat_interleave(num_queries, 0)
            if tracks.shape[1] <= _LONG_CLIP:
                sequence = self._look_along_time(sequence, stream)
            else:
                with _attention_in_linear_memory():
                    few = max(1, _ROWS_AT_A_TIME // tracks.shape[1])
                    parts = zip(sequence.split(few), stream.split(few), strict=True)
                    sequence = torch.cat([self._look_along_time(*part) for part in parts])
        return sequence.unflatten(0, (num_clips, num_queries)).transpose(1, 2)

    def _look_along_time(self, sequence: Tensor, stream: Tensor) -> Tensor:
        for block in self.blocks:
            sequence, stream = block(sequence, stream)
        return sequence

    def _position(self, tracks: Tensor, boxes_cxcywh: Tensor) -> Tensor | float:
        """Embedding of time, box and motion, broadcastable to tracks; 0 when switched off."""
        position: Tensor | float = 0.0
        hidden_dim, num_frames = tracks.shape[-1], tracks.shape[1]
        if self.time_projection is not None:
            # The place in the clip, not the frame number: clips of any length use the same range.
            time = torch.linspace(0, 1, num_frames, dtype=tracks.dtype, device=tracks.device)
            embedding = sine_embedding(time.unsqueeze(-1), num_features=hidden_dim)
            position = position + self.time_projection(embedding)[:, None, :]
        if self.box_projection is not None:
            embedding = sine_embedding(boxes_cxcywh.detach(), num_features=hidden_dim)
            position = position + self.box_projection(embedding)
        if self.motion_projection is not None:
            speed = speed_cxcywh(boxes_cxcywh.detach()) / _GREATEST_SPEED
            embedding = sine_embedding((0.5 + 0.5 * speed).clamp(0, 1), num_features=hidden_dim)
            position = position + self.motion_projection(embedding)
        return position


def speed_cxcywh(boxes_cxcywh: Float[Tensor, "b t q 4"]) -> Float[Tensor, "b t q 4"]:
    """How boxes change from frame to frame, per clip, so that sparser frames tell the same.

    Args:
        boxes_cxcywh: Tracks ``[B, T, Q, 4]`` in [0, 1].

    Returns:
        Change since the frame before, times T - 1, ``[B, T, Q, 4]``; 0 in the first frame.

    Example:
        >>> moving = torch.linspace(0.2, 0.7, 6).view(1, 6, 1, 1).expand(1, 6, 1, 4)
        >>> speed_cxcywh(moving)[0, :, 0, 0].mul(10).round().tolist()
        [0.0, 5.0, 5.0, 5.0, 5.0, 5.0]
    """
    changes = boxes_cxcywh[:, 1:] - boxes_cxcywh[:, :-1]
    still = torch.zeros_like(boxes_cxcywh[:, :1])
    return torch.cat((still, changes * (boxes_cxcywh.shape[1] - 1)), dim=1)


@contextlib.contextmanager
def _attention_in_linear_memory() -> Iterator[None]:
    """Keep PyTorch from its fast path, which holds all T x T weights of every head at once."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _zero_linear(in_features: int, out_features: int, wanted: bool) -> nn.Linear | None:
    if not wanted:
        return None
    linear = nn.Linear(in_features, out_features)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear
