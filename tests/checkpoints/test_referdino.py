"""Released ReferDINO files: every key has its place, and adapters merge as released."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from rvos.checkpoints.referdino import merge_lora, rename_released
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
