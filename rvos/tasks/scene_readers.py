"""What reads annotations in place of images while a text encoder learns; thrown away later."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from rvos.datasets.scene_batch import LOOK_FEATURES
from rvos.structures import ReferenceText

_NUM_HEADS = 4
_NUM_LAYERS = 3
_TRACK_POINTS = 8


class SceneReader(nn.Module):
    """Says of which objects of a frame a phrase is true; they look at each other and at the words.

    Args:
        hidden_dim: Channels of the model's queries.

    Example:
        >>> words = ReferenceText(torch.zeros(2, 5, 8), torch.ones(2, 5, dtype=torch.bool))
        >>> objects = torch.zeros(2, 3, 4), torch.zeros(2, 3, LOOK_FEATURES)
        >>> SceneReader(8)(*objects, torch.ones(2, 3, dtype=torch.bool), words).shape
        torch.Size([2, 3])
    """

    def __init__(self, hidden_dim: int) -> None:
        super().__init__()
        self.embedding = nn.Sequential(
            nn.Linear(4 + LOOK_FEATURES, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, hidden_dim)
        )
        layer = nn.TransformerDecoderLayer(
            hidden_dim, _NUM_HEADS, 2 * hidden_dim, dropout=0.0, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerDecoder(layer, _NUM_LAYERS, norm=nn.LayerNorm(hidden_dim))
        self.words_norm = nn.LayerNorm(hidden_dim)
        self.score = nn.Linear(hidden_dim, 1)

    def forward(
        self,
        boxes_cxcywh: Float[Tensor, "p n 4"],
        looks: Float[Tensor, "p n a"],
        valid_objects: Bool[Tensor, "p n"],
        words: ReferenceText,
    ) -> Float[Tensor, "p n"]:
        """Score objects.

        Args:
            boxes_cxcywh: ``[P, N, 4]`` in [0, 1].
            looks: ``[P, N, A]``.
            valid_objects: ``[P, N]``, False on padding.
            words: Features of the phrases.

        Returns:
            Logits ``[P, N]``.
        """
        # Around zero, at the scale of the looks.
        objects = self.embedding(torch.cat((4 * boxes_cxcywh - 2, looks), dim=-1))
        read = self.layers(
            objects,
            self.words_norm(words.features),
            # An object that sees nothing at all would be not a number.
            tgt_key_padding_mask=~valid_objects & valid_objects.any(1, keepdim=True),
            memory_key_padding_mask=~words.valid,
        )
        logits: Tensor = self.score(read).squeeze(-1)
        return logits


class TrackReader(nn.Module):
    """Says of which tracks a phrase is true, by its mean word and the shape of the path alone.

    Learns words of motion from nothing in a minute, which the temporal decoder does not: it goes on
    from there.

    Args:
        hidden_dim: Channels of the words.

    Example:
        >>> TrackReader(8)(torch.zeros(2, 3, 5, 4), torch.zeros(2, 8)).shape
        torch.Size([2, 3])
    """

    def __init__(self, hidden_dim: int) -> None:
        super().__init__()
        width = 2 * hidden_dim
        self.tracks = nn.Sequential(
            nn.Linear(5 * _TRACK_POINTS, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, hidden_dim),
        )
        self.words = nn.Sequential(
            nn.Linear(hidden_dim, width), nn.ReLU(), nn.Linear(width, hidden_dim)
        )
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(
        self, boxes_cxcywh: Float[Tensor, "p n t 4"], sentences: Float[Tensor, "p c"]
    ) -> Float[Tensor, "p n"]:
        """Score tracks.

        Args:
            boxes_cxcywh: ``[P, N, T, 4]`` in [0, 1]; zeros where an object is absent.
            sentences: Mean words ``[P, C]`` of the phrases.

        Returns:
            Logits ``[P, N]``.
        """
        present = boxes_cxcywh[..., 2:3].gt(0).to(boxes_cxcywh.dtype)
        frames = torch.cat((boxes_cxcywh, present), dim=-1)
        points = F.interpolate(frames.flatten(0, 1).transpose(1, 2), _TRACK_POINTS, mode="linear")
        # Around zero, at a scale that the first layer can work with.
        tracks = self.tracks(4 * points.flatten(1) - 2).unflatten(0, boxes_cxcywh.shape[:2])
        words = self.words(5 * sentences)
        logits: Tensor = (tracks * words[:, None]).sum(-1) / words.shape[-1] ** 0.5 + self.bias
        return logits
