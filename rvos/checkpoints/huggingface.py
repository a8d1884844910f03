"""Keys of transformers' GroundingDINO files, as the grounder names them."""

import re
from collections.abc import Mapping

from torch import Tensor

from rvos.checkpoints.renaming import KeyMap, StateDict
from rvos.checkpoints.shared_entries import rename_entries

_BACKBONE = r"model\.backbone\.conv_encoder\.model\."
_SWIN_BLOCK = _BACKBONE + r"(?:swin\.)?encoder\.layers\.(\d+)\.blocks\.(\d+)\."
_SWIN_BLOCK_TO = r"image_encoder.backbone.swin.encoder.layers.\1.blocks.\2."
# Files from before transformers 5 name Swin's parts differently and lack its prefix.
_OLD_SWIN_BLOCK_PARTS = (
    (r"attention\.self\.query", "attention.q_proj"),
    (r"attention\.self\.key", "attention.k_proj"),
    (r"attention\.self\.value", "attention.v_proj"),
    (
        r"attention\.self\.relative_position_bias_table",
        "attention.relative_position_bias.relative_position_bias_table",
    ),
    (r"attention\.output\.dense", "attention.o_proj"),
    (r"intermediate\.dense", "mlp.fc1"),
    (r"output\.dense", "mlp.fc2"),
)

HUGGINGFACE_KEYS = KeyMap(
    [
        *((f"{_SWIN_BLOCK}{old}", f"{_SWIN_BLOCK_TO}{new}") for old, new in _OLD_SWIN_BLOCK_PARTS),
        (
            _BACKBONE
            + r"(encoder\.layers\.|embeddings\.norm\.|embeddings\.patch_embeddings\.proj)",
            r"image_encoder.backbone.swin.\1",
        ),
        (_BACKBONE, "image_encoder.backbone."),
        (r"model\.input_proj_vision\.", "image_encoder.projections."),
        (r"model\.level_embed$", "image_encoder.level_embed"),
        (r"model\.text_backbone\.", "text_encoder.bert."),
        (r"model\.text_projection\.", "text_encoder.projection."),
        (r"model\.encoder\.layers\.", "fusion_encoder.layers."),
        (r"model\.enc_output\.", "proposal_selector.projection."),
        (r"model\.enc_output_norm\.", "proposal_selector.norm."),
        (r"model\.encoder_output_bbox_embed\.", "proposal_selector.box_head."),
        (r"model\.query_position_embeddings\.", "query_embeddings."),
        (r"model\.decoder\.layers\.", "query_decoder.layers."),
        (r"model\.decoder\.layer_norm\.", "query_decoder.norm."),
        (r"model\.decoder\.reference_points_head\.", "query_decoder.position_head."),
        # One head, listed once per layer and again below the decoder.
        (r"(model\.decoder\.)?bbox_embed\.\d+\.", "query_decoder.box_head."),
    ]
)

# Computed from the architecture, or never read.
_UNUSED = re.compile(
    rf".*relative_position_index$|.*position_ids$|model\.text_backbone\.pooler\."
    rf"|{_BACKBONE}(swin\.)?layernorm\."
)


def is_unread(key: str) -> bool:
    """Tell whether a key of such a file is known and read by nothing.

    Args:
        key: As the file has it.

    Example:
        >>> is_unread("model.text_backbone.pooler.dense.weight")
        True
    """
    return _UNUSED.match(key) is not None


def rename_huggingface(state_dict: Mapping[str, Tensor]) -> tuple[StateDict, list[str]]:
    """Rename the state dict of transformers' ``GroundingDinoForObjectDetection``.

    Args:
        state_dict: As the file has it, of transformers 4 or 5.

    Returns:
        The state dict under the grounder's names, and the keys nothing here knows.

    Raises:
        CheckpointError: Two names of one shared tensor hold different values.

    Example:
        >>> import torch
        >>> rename_huggingface({"model.enc_output.bias": torch.zeros(1)})[0]
        {'proposal_selector.projection.bias': tensor([0.])}
    """
    read = {key: value for key, value in state_dict.items() if not is_unread(key)}
    return rename_entries(read, HUGGINGFACE_KEYS)
