"""Starting values for training without pre-trained weights."""

from typing import Any

import torch
from torch import nn

from rvos.models.grounding_dino import Grounder
from rvos.models.referdino.temporal_enhancer import ObjectConsistentTemporalEnhancer


def initialise_from_scratch(
    grounder: Grounder,
    temporal_enhancer: ObjectConsistentTemporalEnhancer | None,
    mask_head: nn.Module,
    logit_std: float = 1.5,
    logit_prior: float = -4.0,
) -> None:
    """Set the scales that GroundingDINO's pre-training would have found.

    As published, class logits are dot products of two LayerNorm outputs and start with a standard
    deviation of sqrt(C), fusion starts at a layer scale of 1e-4 and mask logits at sqrt(C) times
    the mask features. From random weights nothing of that learns quickly. No formula changes, only
    norm and layer-scale parameters do.

    Args:
        grounder: Randomly initialised, changed in place, like the others.
        temporal_enhancer: May be None.
        mask_head: Any mask head.
        logit_std: Wanted standard deviation of one query-token dot product.
        logit_prior: Offset of every dot product: most queries fit no expression.
    """
    with torch.no_grad():
        fusion_layers: list[Any] = list(grounder.fusion_encoder.layers)
        for layer in fusion_layers:
            layer.fusion_layer.vision_param.fill_(1.0)
            layer.fusion_layer.text_param.fill_(1.0)
        text_norm = fusion_layers[-1].text_enhancer_layer.layer_norm_after
        text_norm.weight.fill_(logit_std / grounder.hidden_dim**0.5)
        query_norms: list[Any] = [grounder.proposal_selector.norm, grounder.query_decoder.norm]
        if temporal_enhancer is not None and temporal_enhancer.temporal_decoder is not None:
            blocks: list[Any] = list(temporal_enhancer.temporal_decoder.blocks)
            for block in blocks:
                # Close to the identity: what the image stage learned survives the first steps.
                block.self_attention.out_proj.weight.zero_()
                block.sentence_decoder.norm3.weight.fill_(0.1)
            query_norms.append(temporal_enhancer.temporal_decoder.blocks[-1].norm)
        # The prior lives in one shared direction: a constant in the queries times one in the text.
        half = abs(logit_prior) ** 0.5
        text_norm.weight[0], text_norm.bias[0] = 0.0, (half if logit_prior > 0 else -half)
        for norm in query_norms:
            norm.weight[0], norm.bias[0] = 0.0, half
        mask_layers: Any = getattr(mask_head, "layers", None)
        if mask_layers is not None:
            mask_layers[-1].final_norm.weight.fill_(grounder.hidden_dim**-0.5)
