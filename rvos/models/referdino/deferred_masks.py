"""Masks of the mask decoder, whose last layer runs for the queries that somebody asks for."""

from collections.abc import Sequence
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from rvos.layers.checkpointing import maybe_checkpoint
from rvos.models.mask_heads.base import MaskQueries
from rvos.models.mask_heads.deferred import DotProductMasks, mask_logits
from rvos.models.referdino.mask_decoder_layer import MaskDecoderLayer, MaskScene
from rvos.models.referdino.mask_position import MaskPosition
from rvos.ops.gather import gather_queries
from rvos.ops.precision import current_autocast


class LastLayerMasks:
    """Several groups of queries that pass the mask decoder together.

    Only self-attention tells the groups apart. All else is done once for all of them, which above
    all spares projecting the pixels for each. After the last self-attention no query reads another,
    so the last layer runs without gradient for the costs of all and with it for those asked for.

    Args:
        layers: Of the mask decoder.
        position: Adds places to embeddings and features; None adds nothing.
        groups: Object queries of N frames.
        scene: What they look at.
        checkpoint_activations: Recompute all layers but the last in the backward pass.
    """

    def __init__(
        self,
        layers: nn.ModuleList,
        position: MaskPosition | None,
        groups: Sequence[MaskQueries],
        scene: MaskScene,
        checkpoint_activations: bool = False,
    ) -> None:
        self.sizes = [group.features.shape[1] for group in groups]
        self.prompt = MaskQueries(
            torch.cat([group.features for group in groups], 1),
            torch.cat([group.reference_boxes_cxcywh for group in groups], 1),
            torch.cat([group.positions for group in groups], 1),
        )
        self.scene = scene
        self.position = position
        self.last_layer: MaskDecoderLayer = layers[-1]  # type: ignore[assignment]
        self.as_made = current_autocast(scene.pixels.device)
        self.embedding = self.prompt.features
        for layer in layers[:-1]:
            self.embedding = maybe_checkpoint(
                checkpoint_activations,
                layer,
                queries=self.embedding,
                prompt=self.prompt,
                scene=scene,
                group_sizes=self.sizes,
            )
        features = scene.mask_features.features
        self.features = features if position is None else position.place_pixels(features)

    def part(
        self, layer: int, frames: slice, queries: slice
    ) -> Float[Tensor, "some_frames some_queries h w"]:
        """Compute the mask logits of some queries in some frames, without gradient.

        Args:
            layer: Position of the group.
            frames: Of the N frames.
            queries: Of the group's queries.

        Returns:
            ``[SOME_FRAMES, SOME_QUERIES, H, W]``.
        """
        return self._without_gradient.part(layer, frames, queries)

    def of_queries(self, queries: Sequence[Int[Tensor, "n _k"]]) -> list[Float[Tensor, "n _k h w"]]:
        """Compute mask logits with gradient.

        Args:
            queries: Positions ``[N, K]`` of the queries asked for, one tensor per group.

        Returns:
            ``[N, K, H, W]`` per group.
        """
        starts = [sum(self.sizes[:index]) for index in range(len(self.sizes))]
        positions = torch.cat(
            [chosen + start for chosen, start in zip(queries, starts, strict=True)], 1
        )
        prompt = MaskQueries(
            gather_queries(self.prompt.features, positions),
            gather_queries(self.prompt.reference_boxes_cxcywh, positions),
            gather_queries(self.prompt.positions, positions),
        )
        with self.as_made():
            embedding = self._last(prompt, queries)
            logits = mask_logits(embedding, self.features)
        return list(logits.split([chosen.shape[1] for chosen in queries], 1))

    @cached_property
    def _without_gradient(self) -> DotProductMasks:
        """All masks, to be looked at."""
        with torch.no_grad(), self.as_made():
            embedding = self._last(self.prompt, None)
            return DotProductMasks(list(embedding.split(self.sizes, 1)), self.features.detach())

    def _last(
        self, prompt: MaskQueries, chosen: Sequence[Int[Tensor, "n _k"]] | None
    ) -> Float[Tensor, "n k c"]:
        """Mask embeddings of the chosen queries, of which ``prompt`` consists."""
        layer = self.last_layer
        mixed = layer.mix(self.embedding, self.prompt.positions, self.sizes, chosen)
        embedding = layer.look(mixed, prompt, self.scene)
        if self.position is None:
            return embedding
        ratios = self.scene.mask_features.valid_ratios_xy.repeat(1, 2).unsqueeze(1)
        return self.position.place_queries(embedding, prompt.reference_boxes_cxcywh * ratios)
