"""Keys of the released ReferDINO files, as :class:`ReferDINO` names them."""

from collections.abc import Mapping

from torch import Tensor

from rvos.checkpoints.adapters import name_adapters_as_peft
from rvos.checkpoints.idea import DECODER_LAYER_PARTS, GROUNDER_KEYS, split_joint_projections
from rvos.checkpoints.renaming import KeyMap, StateDict
from rvos.checkpoints.shared_entries import rename_entries

_MASK_LAYER_PARTS = {
    "encoder_attn": "deformable_attention",
    "encoder_attn_layer_norm": "deformable_attention_norm",
    "encoder_attn_text": "text_attention",
    "encoder_attn_text_layer_norm": "text_attention_norm",
    "self_attn": "self_attention",
    "self_attn_layer_norm": "self_attention_norm",
    "fc1": "fc1",
    "fc2": "fc2",
    "final_layer_norm": "final_norm",
}
_TEMPORAL = "temporal_enhancer.temporal_decoder.blocks."

HEAD_KEYS = KeyMap(
    [
        *(
            (rf"pixel_decoder\.lay{i}\.", f"pixel_decoder.convolutions.{i - 1}.0.")
            for i in range(1, 6)
        ),
        *(
            (rf"pixel_decoder\.gn{i}\.", f"pixel_decoder.convolutions.{i - 1}.1.")
            for i in range(1, 6)
        ),
        *(
            (rf"pixel_decoder\.adapter{i}\.", f"pixel_decoder.adapters.{i - 1}.")
            for i in range(1, 4)
        ),
        (r"pixel_decoder\.out_lay\.", "pixel_decoder.output."),
        *(
            (rf"mask_decoder\.(\d+)\.{old}\.", rf"mask_head.layers.\1.{_MASK_LAYER_PARTS[new]}.")
            for old, new in DECODER_LAYER_PARTS
        ),
        # One module, listed once per decoder layer.
        (r"temporal_decoder\.\d+\.layer\.(\d+)\.self_attn\.", _TEMPORAL + r"\1.self_attention."),
        (r"temporal_decoder\.\d+\.layer\.(\d+)\.norm\.", _TEMPORAL + r"\1.self_attention_norm."),
        (r"temporal_decoder\.\d+\.layer\.(\d+)\.decoder\.", _TEMPORAL + r"\1.sentence_decoder."),
        (r"temporal_decoder\.\d+\.norm\.(\d+)\.", _TEMPORAL + r"\1.norm."),
    ]
)


def merge_lora(state_dict: Mapping[str, Tensor]) -> StateDict:
    """Add low-rank updates to their base weights: W + B A / r, the released scaling.

    Args:
        state_dict: Un-merged, with ``lora_A`` [r, in] and ``lora_B`` [out, r] beside ``weight``.

    Returns:
        A new mapping without LoRA entries.

    Example:
        >>> import torch
        >>> parts = {"a.weight": torch.zeros(2, 2), "a.lora_A": torch.ones(4, 2)}
        >>> merge_lora({**parts, "a.lora_B": torch.ones(2, 4)})["a.weight"]
        tensor([[1., 1.],
                [1., 1.]])
    """
    merged = {key: value for key, value in state_dict.items() if ".lora_" not in key}
    for key, value in state_dict.items():
        if key.endswith(".lora_A"):
            prefix = key.removesuffix("lora_A")
            update = state_dict[f"{prefix}lora_B"] @ value / value.shape[0]
            merged[f"{prefix}weight"] = merged[f"{prefix}weight"] + update
    return merged


def rename_released(state_dict: Mapping[str, Tensor]) -> tuple[StateDict, list[str]]:
    """Rename a released ReferDINO or GroundingDINO state dict.

    Args:
        state_dict: Adapters beside their weights, merged, or absent.

    Returns:
        The state dict under this project's names, adapters under peft's, and the keys nothing here
        knows.

    Raises:
        CheckpointError: Two names of one shared tensor hold different values.
    """
    renamed, unknown = rename_entries(split_joint_projections(state_dict), _name)
    return name_adapters_as_peft(renamed), unknown


def _name(key: str) -> str | None:
    head = HEAD_KEYS(key)
    if head is not None:
        return head
    grounder = GROUNDER_KEYS(key)
    return None if grounder is None else f"grounder.{grounder}"
