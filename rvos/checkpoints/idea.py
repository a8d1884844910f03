"""Keys of IDEA's GroundingDINO files, as the grounder names them."""

from collections.abc import Mapping

from torch import Tensor

from rvos.checkpoints.renaming import KeyMap, StateDict, split_projection

_ENCODER = r"transformer\.encoder\."
_DECODER_LAYER = r"transformer\.decoder\.layers\.(\d+)\."
_FUSION = "fusion_encoder.layers."
_DECODE = r"query_decoder.layers.\1."

DECODER_LAYER_PARTS = (
    ("cross_attn", "encoder_attn"),
    ("norm1", "encoder_attn_layer_norm"),
    ("ca_text", "encoder_attn_text"),
    ("catext_norm", "encoder_attn_text_layer_norm"),
    ("self_attn", "self_attn"),
    ("norm2", "self_attn_layer_norm"),
    ("linear1", "fc1"),
    ("linear2", "fc2"),
    ("norm3", "final_layer_norm"),
)
_IMAGE_LAYER_PARTS = (
    ("self_attn", "self_attn"),
    ("norm1", "self_attn_layer_norm"),
    ("linear1", "fc1"),
    ("linear2", "fc2"),
    ("norm2", "final_layer_norm"),
)
_TEXT_LAYER_PARTS = (
    ("self_attn", "self_attn"),
    ("linear1", "fc1"),
    ("linear2", "fc2"),
    ("norm1", "layer_norm_before"),
    ("norm2", "layer_norm_after"),
)
_FUSION_LAYER_PARTS = (
    ("gamma_v", "vision_param"),
    ("gamma_l", "text_param"),
    ("layer_norm_v", "layer_norm_vision"),
    ("layer_norm_l", "layer_norm_text"),
    (r"attn\.v_proj", "attn.vision_proj"),
    (r"attn\.l_proj", "attn.text_proj"),
    (r"attn\.values_v_proj", "attn.values_vision_proj"),
    (r"attn\.values_l_proj", "attn.values_text_proj"),
    (r"attn\.out_v_proj", "attn.out_vision_proj"),
    (r"attn\.out_l_proj", "attn.out_text_proj"),
)
_SWIN_BLOCK = r"backbone\.0\.layers\.(\d+)\.blocks\.(\d+)\."
_SWIN = "image_encoder.backbone.swin."
_SWIN_BLOCK_TO = _SWIN + r"encoder.layers.\1.blocks.\2."
_SWIN_BLOCK_PARTS = (
    ("norm1", "layernorm_before"),
    (
        r"attn\.relative_position_bias_table",
        "attention.relative_position_bias.relative_position_bias_table",
    ),
    (r"attn\.q_proj", "attention.q_proj"),
    (r"attn\.k_proj", "attention.k_proj"),
    (r"attn\.v_proj", "attention.v_proj"),
    (r"attn\.proj", "attention.o_proj"),
    ("norm2", "layernorm_after"),
    (r"mlp\.fc1", "mlp.fc1"),
    (r"mlp\.fc2", "mlp.fc2"),
)

GROUNDER_KEYS = KeyMap(
    [
        (r"transformer\.level_embed$", "image_encoder.level_embed"),
        *(
            (rf"{_ENCODER}layers\.(\d+)\.{old}(?=\.|$)", rf"{_FUSION}\1.deformable_layer.{new}")
            for old, new in _IMAGE_LAYER_PARTS
        ),
        *(
            (
                rf"{_ENCODER}text_layers\.(\d+)\.{old}(?=\.|$)",
                rf"{_FUSION}\1.text_enhancer_layer.{new}",
            )
            for old, new in _TEXT_LAYER_PARTS
        ),
        *(
            (rf"{_ENCODER}fusion_layers\.(\d+)\.{old}(?=\.|$)", rf"{_FUSION}\1.fusion_layer.{new}")
            for old, new in _FUSION_LAYER_PARTS
        ),
        *(
            (rf"{_DECODER_LAYER}{old}(?=\.|$)", f"{_DECODE}{new}")
            for old, new in DECODER_LAYER_PARTS
        ),
        (r"transformer\.decoder\.norm\.", "query_decoder.norm."),
        (r"(transformer\.decoder\.)?ref_point_head\.", "query_decoder.position_head."),
        # One head, listed once per layer and again below the decoder.
        (r"(transformer\.decoder\.)?bbox_embed\.\d+\.", "query_decoder.box_head."),
        (r"transformer\.tgt_embed\.", "query_embeddings."),
        (r"transformer\.enc_output\.", "proposal_selector.projection."),
        (r"transformer\.enc_output_norm\.", "proposal_selector.norm."),
        (r"transformer\.enc_out_bbox_embed\.", "proposal_selector.box_head."),
        (r"bert\.", "text_encoder.bert."),
        (r"feat_map\.", "text_encoder.projection."),
        (r"input_proj\.", "image_encoder.projections."),
        (r"backbone\.0\.patch_embed\.proj\.", f"{_SWIN}embeddings.patch_embeddings.projection."),
        (r"backbone\.0\.patch_embed\.norm\.", f"{_SWIN}embeddings.norm."),
        *(
            (rf"{_SWIN_BLOCK}{old}(?=\.|$)", f"{_SWIN_BLOCK_TO}{new}")
            for old, new in _SWIN_BLOCK_PARTS
        ),
        (
            r"backbone\.0\.layers\.(\d+)\.downsample\.",
            _SWIN + r"encoder.layers.\1.downsample.",
        ),
        *(
            (
                rf"backbone\.0\.norm{stage}\.",
                f"image_encoder.backbone.hidden_states_norms.stage{stage + 1}.",
            )
            for stage in range(4)
        ),
    ]
)

# Computed from the architecture, or never read.
UNUSED_KEYS = (
    "relative_position_index",
    "position_ids",
    "label_enc.weight",
    "bert.pooler.dense.weight",
    "bert.pooler.dense.bias",
)


def split_joint_projections(state_dict: Mapping[str, Tensor]) -> StateDict:
    """Split the joint projections of torch's attention and of Swin, drop ``module.`` prefixes.

    Args:
        state_dict: As the file has it.

    Example:
        >>> import torch
        >>> sorted(split_joint_projections({"module.a.in_proj_bias": torch.zeros(3)}))
        ['a.key.bias', 'a.query.bias', 'a.value.bias']
    """
    plain = {key.removeprefix("module."): value for key, value in state_dict.items()}
    plain = {key: value for key, value in plain.items() if not key.endswith(UNUSED_KEYS)}
    torch_attention = {
        key.replace(".in_proj_", ".in_proj."): value
        for key, value in plain.items()
        # torch's own attention in the temporal decoder keeps its joint projection.
        if not key.startswith("temporal_decoder.")
    }
    split = split_projection(torch_attention, "in_proj.", ("query.", "key.", "value."))
    split = split_projection(split, "attn.qkv.", ("attn.q_proj.", "attn.k_proj.", "attn.v_proj."))
    kept = {key: value for key, value in plain.items() if key.startswith("temporal_decoder.")}
    return {**split, **kept}
