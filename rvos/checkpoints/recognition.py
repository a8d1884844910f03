"""What a state dict is, told from the names and shapes in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from rvos.checkpoints.files import CheckpointError
from rvos.checkpoints.renaming import StateDict

BackboneName = Literal["swin_tiny", "swin_base"]

# By the width of the patch embedding, which is also that of the stride-4 feature.
BACKBONES: dict[int, BackboneName] = {96: "swin_tiny", 128: "swin_base"}
# Where training scripts put the weights, besides the top of the file.
_WRAPPERS = ("model_state_dict", "model", "state_dict")
_PREFIX = "module."
_TEMPORAL_BLOCK = re.compile(r"temporal_decoder\.\d+\.layer\.(\d+)\.")


@dataclass
class ReleasedArchitecture:
    """The architecture of a released file, as far as the released files differ.

    Attributes:
        has_mask_branch: True for ReferDINO, False for GroundingDINO.
        backbone: The image encoder.
        stage0_channels: Channels of the stride-4 feature.
        hidden_dim: Channels of queries and memory.
        num_temporal_blocks: Blocks of the temporal decoder, 0 if there is none.
    """

    has_mask_branch: bool
    backbone: BackboneName
    stage0_channels: int
    hidden_dim: int
    num_temporal_blocks: int


def unwrap(content: Mapping[str, Any]) -> dict[str, Any]:
    """Take the weights out of what a training script saved beside them.

    Args:
        content: Of a file.

    Returns:
        Entries by name, without the prefix that distributed training adds.

    Example:
        >>> unwrap({"model": {"module.a": 1}, "epoch": 3})
        {'a': 1}
    """
    inner = next((content[key] for key in _WRAPPERS if isinstance(content.get(key), dict)), content)
    return {str(key).removeprefix(_PREFIX): value for key, value in inner.items()}


def split_tensors(entries: Mapping[str, Any]) -> tuple[StateDict, list[str]]:
    """Separate tensors from other entries.

    Args:
        entries: Of a state dict.

    Returns:
        The tensors, and the names of everything else.

    Example:
        >>> split_tensors({"epoch": 3})
        ({}, ['epoch'])
    """
    # Sparse ones are in no file that anybody releases, and few operations take them.
    tensors = {
        name: value
        for name, value in entries.items()
        if isinstance(value, Tensor) and value.layout == torch.strided
    }
    return tensors, sorted(entries.keys() - tensors.keys())


def recognise_released(weights: Mapping[str, Tensor], source: str) -> ReleasedArchitecture:
    """Recognise a ReferDINO or GroundingDINO in the released spelling.

    Args:
        weights: Tensors by name.
        source: Where they come from, for the error's text.

    Returns:
        The architecture.

    Raises:
        CheckpointError: It is neither, or has a backbone that is not known.
    """
    queries = weights.get("transformer.tgt_embed.weight")
    patches = weights.get("backbone.0.patch_embed.norm.weight", torch.empty(0))
    if queries is None or queries.ndim != 2 or patches.ndim != 1:
        message = (
            f"{source} is neither a released ReferDINO nor a GroundingDINO file: "
            "transformer.tgt_embed.weight or backbone.0.patch_embed.norm.weight is not in it"
        )
        raise CheckpointError(message)
    width = len(patches)
    if width not in BACKBONES:
        known = ", ".join(f"{name} ({number})" for number, name in BACKBONES.items())
        message = f"{source} has a backbone of width {width}, which is not known; known: {known}"
        raise CheckpointError(message)
    blocks = {found[1] for found in map(_TEMPORAL_BLOCK.match, weights) if found}
    return ReleasedArchitecture(
        has_mask_branch="pixel_decoder.out_lay.weight" in weights,
        backbone=BACKBONES[width],
        stage0_channels=width,
        hidden_dim=queries.shape[1],
        num_temporal_blocks=len(blocks),
    )
