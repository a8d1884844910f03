"""LoRA adapters in state dicts, under peft's names."""

from collections.abc import Collection, Mapping

from torch import Tensor

from rvos.checkpoints.files import CheckpointError
from rvos.checkpoints.renaming import StateDict

_DOWN, _UP = ".lora_A.default.weight", ".lora_B.default.weight"
_BASE = ".base_layer."


def adapter_ranks(state_dict: Mapping[str, Tensor]) -> dict[str, int]:
    """Find the adapted layers of a state dict.

    Args:
        state_dict: Tensors by name, with peft's names for adapted layers.

    Returns:
        Rank of each adapted layer.

    Raises:
        CheckpointError: A part of an adapter is missing, or its parts do not fit each other.

    Example:
        >>> import torch
        >>> adapter_ranks({"fc.base_layer.weight": torch.ones(3, 2),
        ...                "fc.lora_A.default.weight": torch.ones(4, 2),
        ...                "fc.lora_B.default.weight": torch.ones(3, 4)})
        {'fc': 4}
    """
    layers = dict.fromkeys(name.split(".lora_")[0] for name in state_dict if ".lora_" in name)
    ranks = {}
    for layer in layers:
        names = [f"{layer}{part}" for part in (_DOWN, _UP, f"{_BASE}weight")]
        lacking = [name for name in names if name not in state_dict]
        if lacking:
            message = f"the adapter of {layer} is incomplete: {', '.join(lacking)} is missing"
            raise CheckpointError(message)
        down, up, base = (state_dict[name] for name in names)
        rank = down.shape[0]
        if (up.shape[1:], (*up.shape[:1], *down.shape[1:])) != ((rank,), base.shape):
            message = (
                f"the adapter of {layer} does not have the shape of its layer; restore the file"
            )
            raise CheckpointError(message)
        ranks[layer] = rank
    return ranks


def merge_adapters_in_state(
    state_dict: Mapping[str, Tensor], keep: Collection[str] = ()
) -> StateDict:
    """Add low-rank updates to the weights they adapt, with the scaling 1/r of this project.

    Args:
        state_dict: Tensors by name, with peft's names for adapted layers.
        keep: Layers whose adapters stay as they are.

    Returns:
        Tensors; merged layers have the names of layers without adapters.

    Raises:
        CheckpointError: An adapter is incomplete.

    Example:
        >>> import torch
        >>> state = {"fc.base_layer.weight": torch.ones(2, 2),
        ...          "fc.lora_A.default.weight": torch.ones(4, 2),
        ...          "fc.lora_B.default.weight": torch.ones(2, 4)}
        >>> merge_adapters_in_state(state)
        {'fc.weight': tensor([[2., 2.], [2., 2.]])}
    """
    merging = {
        layer: rank for layer, rank in adapter_ranks(state_dict).items() if layer not in keep
    }
    merged: StateDict = {}
    for name, value in state_dict.items():
        layer, is_base, leaf = name.partition(_BASE)
        if is_base and layer not in keep:
            merged[f"{layer}.{leaf}"] = value
        elif name.split(".lora_")[0] not in merging:
            merged[name] = value
    for layer, rank in merging.items():
        update = state_dict[f"{layer}{_UP}"] @ state_dict[f"{layer}{_DOWN}"]
        merged[f"{layer}.weight"] = merged[f"{layer}.weight"] + update / rank
    return merged


def name_adapters_as_peft(state_dict: Mapping[str, Tensor]) -> StateDict:
    """Give loralib's adapters, which stand beside the weight they adapt, the names of peft.

    Args:
        state_dict: With ``lora_A`` [r, in] and ``lora_B`` [out, r] beside ``weight``.

    Returns:
        The same tensors.

    Example:
        >>> import torch
        >>> state = {f"fc.{name}": torch.ones(1, 1) for name in ("weight", "lora_A", "lora_B")}
        >>> sorted(name_adapters_as_peft(state))
        ['fc.base_layer.weight', 'fc.lora_A.default.weight', 'fc.lora_B.default.weight']
    """
    matrices = (".lora_A", ".lora_B")
    adapted = {name.rpartition(".")[0] for name in state_dict if name.endswith(matrices)}
    renamed: StateDict = {}
    for name, value in state_dict.items():
        layer, _, leaf = name.rpartition(".")
        if name.endswith(matrices):
            renamed[f"{name}.default.weight"] = value
        elif layer in adapted:
            renamed[f"{layer}{_BASE}{leaf}"] = value
        else:
            renamed[name] = value
    return renamed
