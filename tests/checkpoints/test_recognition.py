"""Architectures are told from names and shapes alone."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from rvos.checkpoints.files import CheckpointError
from rvos.checkpoints.recognition import recognise_released, split_tensors, unwrap

Released = Callable[[str], dict[str, Tensor]]


@pytest.mark.parametrize(
    ("name", "has_masks", "backbone", "width", "blocks"),
    [
        ("referdino_mevis_swint", True, "swin_tiny", 96, 3),
        ("referdino_ytvos_swinb", True, "swin_base", 128, 3),
        ("groundingdino_swint_ogc", False, "swin_tiny", 96, 0),
        ("groundingdino_swinb_cogcoor", False, "swin_base", 128, 0),
    ],
)
def test_released_files(
    released: Released, name: str, has_masks: bool, backbone: str, width: int, blocks: int
) -> None:
    found = recognise_released(unwrap(released(name)), name)
    assert (found.has_mask_branch, found.backbone) == (has_masks, backbone)
    assert (found.stage0_channels, found.hidden_dim) == (width, 256)
    assert found.num_temporal_blocks == blocks


def test_one_temporal_block(released: Released) -> None:
    weights = released("referdino_mevis_swint")
    kept = {n: v for n, v in weights.items() if ".layer.1." not in n and ".layer.2." not in n}
    assert recognise_released(kept, "x").num_temporal_blocks == 1


def test_unknown_backbone_is_named(released: Released) -> None:
    weights = released("referdino_mevis_swint")
    weights["backbone.0.patch_embed.norm.weight"] = torch.zeros(192)
    with pytest.raises(CheckpointError, match=r"x\.pth has a backbone of width 192.*swin_base"):
        recognise_released(weights, "x.pth")


@pytest.mark.parametrize("key", ["model", "model_state_dict", "state_dict"])
def test_wrappers_and_prefixes_are_taken_off(key: str) -> None:
    assert unwrap({key: {"module.a": 1, "b": 2}, "args": 3}) == {"a": 1, "b": 2}


def test_other_entries_are_named() -> None:
    tensors, others = split_tensors({"a": torch.zeros(1), "epoch": 3})
    assert list(tensors) == ["a"]
    assert others == ["epoch"]
