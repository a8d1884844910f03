"""A file of the released format, through the public door."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

import rvos
from rvos.structures import TextTokens

pytestmark = [pytest.mark.parity, pytest.mark.slow]


@torch.no_grad()
def test_loaded_file_gives_the_released_masks(
    weights: Callable[[str, int], dict[str, Tensor]], case_a: dict[str, Tensor], tmp_path: Path
) -> None:
    content = weights("referdino_mevis_swint", 4)
    content["backbone.0.layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(49, 49)
    path = tmp_path / "mevis_swint.pth"
    torch.save({"model_state_dict": content, "epoch": 3}, path)
    model = rvos.load_model(path)
    assert not model.training
    tokens = TextTokens(case_a["input.input_ids"], case_a["input.attention_mask"])
    output = model(case_a["input.pixel_values"][:, :1], tokens)
    expected = {
        name: case_a[f"single_frame.infer.{name}"] for name in ("pred_logits", "pred_masks")
    }
    torch.testing.assert_close(output.pred_logits, expected["pred_logits"], rtol=0, atol=1e-4)
    torch.testing.assert_close(output.pred_masks, expected["pred_masks"], rtol=0, atol=1e-3)
    # Written as a folder, it is the same model.
    path.unlink()
    model.save_pretrained(tmp_path / "folder")
    again = rvos.load_model(tmp_path / "folder")
    state = model.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in again.state_dict().items())
