"""Released ReferDINO files: every key has its place, and adapters merge as released."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from rvos.checkpoints.adapters import adapter_ranks
from rvos.checkpoints.files import CheckpointError
from rvos.checkpoints.referdino import merge_lora, rename_released
from rvos.models.adaptation import adapted_layers
from rvos.models.grounding_dino import Grounder
from rvos.models.referdino import FPNPixelDecoder, ReferDINO
from rvos.models.referdino.default_parts import default_parts

Released = Callable[[str], dict[str, Tensor]]


@pytest.mark.parametrize(
    ("name", "backbone"),
    [("referdino_mevis_swint", "swin_tiny"), ("referdino_ytvos_swinb", "swin_base")],
)
def test_file_fills_the_model_exactly(released: Released, name: str, backbone: str) -> None:
    renamed, unknown = rename_released(merge_lora(released(name)))
    with torch.device("meta"):
        grounder = Grounder(backbone)  # type: ignore[arg-type]
        model = ReferDINO(grounder, **default_parts(grounder))
    assert unknown == []
    assert {n: v.shape for n, v in renamed.items()} == {
        n: v.shape for n, v in model.state_dict().items()
    }
    assert isinstance(model.pixel_decoder, FPNPixelDecoder)


def test_unknown_keys_are_reported(released: Released) -> None:
    weights = merge_lora(released("referdino_mevis_swint"))
    weights["pixel_decoder.lay9.weight"] = torch.zeros(1)
    weights["surprise"] = torch.zeros(1)
    assert rename_released(weights)[1] == ["pixel_decoder.lay9.weight", "surprise"]


def test_update_is_divided_by_the_rank() -> None:
    down, up = torch.randn(4, 3), torch.randn(5, 4)
    base = torch.randn(5, 3)
    state = {"x.weight": base, "x.bias": torch.ones(5), "x.lora_A": down, "x.lora_B": up}
    merged = merge_lora(state)
    assert merged.keys() == {"x.weight", "x.bias"}
    torch.testing.assert_close(merged["x.weight"], base + up @ down / 4)
    # The file's own tensors stay as they are.
    assert torch.equal(state["x.weight"], base)


def test_adapters_get_the_places_that_are_trained(released: Released) -> None:
    renamed, unknown = rename_released(released("referdino_mevis_swint"))
    with torch.device("meta"):
        grounder = Grounder("swin_tiny")
        model = ReferDINO(grounder, **default_parts(grounder))
    ranks = adapter_ranks(renamed)
    assert unknown == []
    assert set(ranks) == set(adapted_layers(model, encoder=True, decoder=True))
    assert set(ranks.values()) == {32}


def test_shared_modules_must_be_equal() -> None:
    name = "ref_point_head.layers.0.weight"
    weights = {name: torch.ones(2), f"transformer.decoder.{name}": torch.ones(2)}
    renamed, _ = rename_released(weights)
    assert list(renamed) == ["grounder.query_decoder.position_head.layers.0.weight"]
    weights[f"transformer.decoder.{name}"] = torch.zeros(2)
    with pytest.raises(CheckpointError, match="differs from other entries"):
        rename_released(weights)
