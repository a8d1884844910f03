"""IDEA's GroundingDINO files: every key has its place."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from rvos.checkpoints.idea import split_joint_projections
from rvos.checkpoints.referdino import rename_released
from rvos.models.grounding_dino import Grounder

Released = Callable[[str], dict[str, Tensor]]


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize(
    ("name", "backbone"),
    [("groundingdino_swint_ogc", "swin_tiny"), ("groundingdino_swinb_cogcoor", "swin_base")],
)
def test_file_fills_the_grounder_but_for_the_new_norm(
    released: Released, name: str, backbone: str, prefix: str
) -> None:
    names = released(name)
    weights = {f"{prefix}{key.removeprefix('module.')}": value for key, value in names.items()}
    # The public files also hold these, which nothing reads.
    weights[f"{prefix}label_enc.weight"] = torch.empty(2001, 256, device="meta")
    weights[f"{prefix}bert.embeddings.position_ids"] = torch.empty(1, 512, device="meta")
    renamed, unknown = rename_released(weights)
    with torch.device("meta"):
        expected = Grounder(backbone).state_dict()  # type: ignore[arg-type]
    assert unknown == []
    names = {name.removeprefix("grounder."): value.shape for name, value in renamed.items()}
    missing = expected.keys() - names.keys()
    assert missing == {
        f"image_encoder.backbone.hidden_states_norms.stage1.{kind}" for kind in ("weight", "bias")
    }
    assert names == {name: v.shape for name, v in expected.items() if name not in missing}


def test_joint_projections_are_split_in_order() -> None:
    weight = torch.arange(12.0).view(6, 2)
    split = split_joint_projections(
        {
            "module.a.in_proj_weight": weight,
            "b.attn.qkv.bias": torch.arange(6.0),
            "temporal_decoder.0.layer.0.self_attn.in_proj_weight": weight,
        }
    )
    assert torch.equal(split["a.query.weight"], weight[:2])
    assert torch.equal(split["a.key.weight"], weight[2:4])
    assert torch.equal(split["a.value.weight"], weight[4:])
    assert split["b.attn.v_proj.bias"].tolist() == [4, 5]
    # The temporal decoder uses torch's attention as it is.
    assert split["temporal_decoder.0.layer.0.self_attn.in_proj_weight"] is weight


def test_unread_keys_are_dropped() -> None:
    unread = {
        "bert.pooler.dense.weight": torch.zeros(1),
        "backbone.0.layers.0.blocks.0.attn.relative_position_index": torch.zeros(1),
        "label_enc.weight": torch.zeros(1),
    }
    assert split_joint_projections(unread) == {}
