"""Every ablation is one override, changes the model and trains two steps."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

CONFIGS = Path(__file__).parents[2] / "configs"
EXPERIMENT = "referdino_swin_tiny_mevis"
ABLATIONS = sorted(path.stem for path in (CONFIGS / "ablation").glob("*.yaml"))

# Parts of the model whose parameters appear or disappear; no entry = the same parameters.
LOST_OR_NEW = {
    "dynamic_head": r"mask_head\.controller",
    "static_head": r"mask_head\.embedding",
    "temporal_position_sine": r"time_projection",
    "temporal_position_sine_and_box": r"box_projection",
    "without_cross_modal_attention": r"text_attention",
    "without_deformable_cross_attention": r"deformable_attention",
    "without_temporal_decoder": r"temporal_decoder",
    "without_temporal_enhancer": r"temporal_enhancer",
}

RunVerb = Callable[..., int]


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_ablation_trains_two_steps(ablation: str, run_verb: RunVerb, tmp_path: Path) -> None:
    path = CONFIGS / "ablation" / f"{ablation}.yaml"
    short = ["--trainer.limit_val_batches", "0", "-c", str(path)]
    assert run_verb("fit", EXPERIMENT, *short) == 0
    run = tmp_path / "runs" / f"{EXPERIMENT}+{ablation}" / "version_0"
    checkpoint = run / "checkpoints" / "last.ckpt"
    state = torch.load(checkpoint, weights_only=True)
    assert state["global_step"] == 2
    assert all(v.isfinite().all() for v in state["state_dict"].values())
    if ablation in LOST_OR_NEW:
        found = any(re.search(LOST_OR_NEW[ablation], name) for name in state["state_dict"])
        assert found != ablation.startswith("without_")


def test_rows_of_the_paper_are_there() -> None:
    assert {
        "no_pruning",
        "random_pruning",
        "half_pruning",
        "without_deformable_cross_attention",
        "without_cross_modal_attention",
        "without_tracker",
        "without_temporal_decoder",
        "static_head",
        "dynamic_head",
    } <= set(ABLATIONS)
