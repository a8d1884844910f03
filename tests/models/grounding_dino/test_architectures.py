"""Named architectures."""

from typing import get_args

import pytest

from rvos.models.grounding_dino.architectures import ArchitectureName, architecture


@pytest.mark.parametrize("name", get_args(ArchitectureName))
def test_backbones_return_all_four_strides(name: ArchitectureName) -> None:
    config = architecture(name)
    assert config.backbone_config.out_indices == [1, 2, 3, 4]
    assert config.num_feature_levels >= 3
    # Nothing that the released models do not have.
    assert config.dropout == 0.0
    assert config.two_stage


def test_published_sizes() -> None:
    config = architecture("swin_base")
    assert (config.num_queries, config.d_model, config.max_text_len) == (900, 256, 256)
    assert config.backbone_config.window_size == 12
    assert config.backbone_config.depths == [2, 2, 18, 2]
    assert config.text_config.vocab_size == 30522


def test_names_are_not_changed_by_use() -> None:
    architecture("tiny").num_queries = 1
    first = architecture("tiny").to_dict()
    architecture("tiny").backbone_config.depths.append(9)
    assert architecture("tiny").to_dict() == first


def test_arguments_make_any_architecture() -> None:
    config = architecture({"num_queries": 7, "backbone_config": {"model_type": "resnet"}})
    assert config.num_queries == 7
    assert config.backbone_config.model_type == "resnet"
