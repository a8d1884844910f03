"""LoRA adapters in state dicts, under peft's names."""

from collections.abc import Mapping

from torch import Tensor

from rvos.checkpoints.renaming import StateDict


def merge_adapters_in_state(state_dict: Mapping[str, Tensor]) -> StateDict:
    """Add low-rank updates to the weights they adapt, with the scaling 1/r of this project.

    Args:
        state_dict: Tensors by name, with peft's names for adapted layers.

    Returns:
        Tensors under the names of the layers without adapters.

    Example:
        >>> import torch
        >>> state = {"fc.base_layer.weight": torch.ones(2, 2),
        ...          "fc.lora_A.default.weight": torch.ones(4, 2),
        ...          "fc.lora_B.default.weight": torch.ones(2, 4)}
        >>> merge_adapters_in_state(state)
        {'fc.weight': tensor([[2., 2.], [2., 2.]])}
    """
    merged = {
        name.replace(".base_layer.", "."): value
        for name, value in state_dict.items()
        if ".lora_" not in name
    }
    for name, down in state_dict.items():
        if ".lora_A." not in name:
            continue
        up = state_dict[name.replace(".lora_A.", ".lora_B.")]
        layer = name.split(".lora_A.")[0]
        merged[f"{layer}.weight"] = merged[f"{layer}.weight"] + up @ down / down.shape[0]
    return merged
