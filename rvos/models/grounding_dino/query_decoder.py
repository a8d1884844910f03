"""GroundingDINO's decoder, with queries pruned after every layer."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rvos.layers.checkpointing import maybe_checkpoint
from rvos.models.grounding_dino.fusion_encoder import FusedFeatures
from rvos.models.grounding_dino.query_pruning import QueryPruner
from rvos.ops.gather import gather_queries
from rvos.ops.inverse_sigmoid import inverse_sigmoid
from rvos.ops.position_embedding import sine_embedding
from rvos.ops.precision import at_least_float32, without_autocast
from rvos.structures import DecodedQueries, ImageFeatures


class QueryDecoder(nn.Module):
    """Refines object queries and their boxes, dropping queries on the way.

    Args:
        layers: transformers' GroundingDINO decoder layers.
        norm: Norm on the outputs of every layer.
        position_head: From the reference box's sine embedding to the query position.
        box_head: Box offsets; one head for all layers, shared with the output boxes.
        pruner: Chooses the queries that go on.
        checkpoint_activations: Recompute the layers in the backward pass to save memory.
    """

    def __init__(
        self,
        layers: nn.ModuleList,
        norm: nn.LayerNorm,
        position_head: nn.Module,
        box_head: nn.Module,
        pruner: QueryPruner,
        checkpoint_activations: bool = False,
    ) -> None:
        super().__init__()
        self.layers = layers
        self.norm = norm
        self.position_head = position_head
        self.box_head = box_head
        self.pruner = pruner
        self.checkpoint_activations = checkpoint_activations

    def forward(
        self,
        queries: Float[Tensor, "n q c"],
        reference_boxes_cxcywh: Float[Tensor, "n q 4"],
        fused: FusedFeatures,
        image: ImageFeatures,
    ) -> list[DecodedQueries]:
        """Decode the queries of N frames.

        Args:
            queries: Initial content ``[N, Q, C]``.
            reference_boxes_cxcywh: Initial references ``[N, Q, 4]``, without gradient.
            fused: Memory and expression.
            image: Geometry of the memory.

        Returns:
            One entry per layer; the number of queries shrinks.
        """
        reference = reference_boxes_cxcywh
        shapes = torch.tensor(image.level_shapes, device=queries.device)
        starts = torch.cat((shapes.new_zeros(1), shapes.prod(1).cumsum(0)[:-1]))
        blocked = (~fused.text.valid)[:, None, None, :].to(queries.dtype)
        text_bias = blocked * torch.finfo(queries.dtype).min
        ratios = image.valid_ratios_xy.repeat(1, 1, 2)
        decoded = []
        for layer in self.layers:
            # A constant to the layer; the heads get the same box with the gradient of the box head
            # that made it, so that box and mask losses teach that head too (DINO, section 3.5).
            constant = reference.detach()
            queries, self_attention, text_attention, _ = maybe_checkpoint(
                self.checkpoint_activations and self.training,
                layer,
                hidden_states=queries,
                position_embeddings=self.query_positions(constant, ratios[:, 0]),
                reference_points=constant.unsqueeze(2) * ratios.unsqueeze(1),
                spatial_shapes=shapes,
                spatial_shapes_list=image.level_shapes,
                level_start_index=starts,
                vision_encoder_hidden_states=fused.memory,
                vision_encoder_attention_mask=image.token_valid,
                text_encoder_hidden_states=fused.text.features,
                text_encoder_attention_mask=text_bias,
                output_attentions=True,
            )
            kept = self.pruner(queries, fused.text, self_attention.mean(1), text_attention.mean(1))
            queries, reference = gather_queries(queries, kept), gather_queries(reference, kept)
            decoded.append(DecodedQueries(self.norm(at_least_float32(queries)), reference, kept))
            reference = self.refined_boxes(queries, reference.detach())
        return decoded

    def refined_boxes(
        self, queries: Float[Tensor, "*batch q c"], boxes_cxcywh: Float[Tensor, "*batch q 4"]
    ) -> Float[Tensor, "*batch q 4"]:
        """Move reference boxes to where the queries see the object, in single precision.

        Args:
            queries: ``[..., Q, C]``.
            boxes_cxcywh: Their references ``[..., Q, 4]`` in [0, 1].

        Returns:
            Boxes ``[..., Q, 4]`` in [0, 1].
        """
        with without_autocast(queries.device):
            offsets: Tensor = self.box_head(at_least_float32(queries))
            return (offsets + inverse_sigmoid(boxes_cxcywh)).sigmoid()

    def query_positions(
        self,
        reference_boxes_cxcywh: Float[Tensor, "n q 4"],
        valid_ratios_xyxy: Float[Tensor, "n 4"],
    ) -> Float[Tensor, "n q c"]:
        """Embed reference boxes; the mask decoder uses the same embedding.

        Args:
            reference_boxes_cxcywh: ``[N, Q, 4]`` in [0, 1].
            valid_ratios_xyxy: (width, height, width, height) shares ``[N, 4]`` of the map.

        Returns:
            Query positions ``[N, Q, C]``.
        """
        boxes = reference_boxes_cxcywh * valid_ratios_xyxy.unsqueeze(1)
        embedding = sine_embedding(boxes, num_features=self.norm.normalized_shape[0] // 2)
        with without_autocast(boxes.device):
            positions: Tensor = self.position_head(embedding)
        return positions
