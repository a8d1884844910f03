"""Position in mask features and mask embeddings: keeps the masks of look-alikes apart."""

from jaxtyping import Float
from torch import Tensor, nn

from rvos.ops.position_embedding import pixel_positions, sine_embedding


class MaskPosition(nn.Module):
    """Zero-initialised projections of pixel and box positions.

    At the start both add nothing, so weights trained without them give the same masks.

    Args:
        hidden_dim: Channels.
    """

    def __init__(self, hidden_dim: int) -> None:
        super().__init__()
        self.num_features = hidden_dim // 2
        self.pixel_projection = nn.Linear(2 * self.num_features, hidden_dim)
        self.box_projection = nn.Linear(4 * self.num_features, hidden_dim)
        for projection in (self.pixel_projection, self.box_projection):
            nn.init.zeros_(projection.weight)
            nn.init.zeros_(projection.bias)

    def forward(
        self,
        embedding: Float[Tensor, "n q c"],
        features: Float[Tensor, "n c h w"],
        boxes_cxcywh: Float[Tensor, "n q 4"],
    ) -> tuple[Float[Tensor, "n q c"], Float[Tensor, "n c h w"]]:
        """Add position.

        Args:
            embedding: Mask embeddings ``[N, Q, C]``.
            features: Mask features ``[N, C, H, W]``.
            boxes_cxcywh: Reference boxes ``[N, Q, 4]`` in [0, 1].

        Returns:
            Embeddings ``[N, Q, C]`` and features ``[N, C, H, W]``.
        """
        return self.place_queries(embedding, boxes_cxcywh), self.place_pixels(features)

    def place_pixels(self, features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Add the place of every pixel.

        Args:
            features: Mask features ``[N, C, H, W]``.

        Returns:
            ``[N, C, H, W]``.
        """
        height, width = features.shape[-2:]
        pixels = pixel_positions(height, width, self.num_features, like=features)
        return features + self.pixel_projection(pixels).permute(2, 0, 1)

    def place_queries(
        self, embedding: Float[Tensor, "n q c"], boxes_cxcywh: Float[Tensor, "n q 4"]
    ) -> Float[Tensor, "n q c"]:
        """Add the place of every box.

        Args:
            embedding: Mask embeddings ``[N, Q, C]``.
            boxes_cxcywh: Reference boxes ``[N, Q, 4]`` in [0, 1].

        Returns:
            ``[N, Q, C]``.
        """
        boxes = sine_embedding(boxes_cxcywh.detach(), self.num_features)
        placed: Tensor = embedding + self.box_projection(boxes)
        return placed
