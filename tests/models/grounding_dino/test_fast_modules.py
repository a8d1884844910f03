import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from rvos.layers.levers import levers_of, levers_off
from rvos.layers.onednn_linear import OneDNNLinear
from rvos.models.grounding_dino.deformable_attention import BagSampling
from rvos.models.grounding_dino.fast_modules import use_fast_modules, use_fused_kernels
from rvos.models.referdino import ReferDINO
from rvos.structures import TextTokens

LEVERS = (
    "bag_sampling",
    "chunked_feed_forward",
    "folded_fusion",
    "onednn_linear",
    "sample_then_project",
)


def test_a_model_has_every_lever(model: ReferDINO) -> None:
    assert set(levers_of(model)) >= set(LEVERS)


@pytest.mark.parametrize("lever", [None, *LEVERS])
def test_a_lever_changes_nothing(
    model: ReferDINO, clips: Tensor, tokens: TextTokens, lever: str | None
) -> None:
    fast = model(clips, tokens)
    with levers_off(model, None if lever is None else [lever]):
        plain = model(clips, tokens)
    for name in ("pred_logits", "pred_boxes", "pred_masks"):
        torch.testing.assert_close(getattr(fast, name), getattr(plain, name), rtol=0, atol=1e-9)


def test_single_precision_differs_by_rounding_only(
    make_model: Callable[..., ReferDINO], clips: Tensor, tokens: TextTokens
) -> None:
    model = make_model().float()
    fast = model(clips.float(), tokens)
    with levers_off(model):
        plain = model(clips.float(), tokens)
    torch.testing.assert_close(fast.pred_boxes, plain.pred_boxes, rtol=0, atol=1e-4)
    torch.testing.assert_close(fast.pred_masks, plain.pred_masks, rtol=1e-3, atol=1e-3)


def test_names_and_weights_stay() -> None:
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    fast = copy.deepcopy(plain)
    use_fast_modules(fast)
    assert isinstance(fast[0], OneDNNLinear)
    assert list(fast.state_dict()) == list(plain.state_dict())
    assert all(
        torch.equal(a, b) for a, b in zip(fast.parameters(), plain.parameters(), strict=True)
    )


def test_subclasses_are_left_alone() -> None:
    class Special(nn.Linear):
        pass

    model = nn.Sequential(Special(2, 2))
    use_fast_modules(model)
    assert type(model[0]) is Special


def test_fused_kernels_are_asked_for() -> None:
    sampling = BagSampling()
    assert not sampling.fused_on_gpu
    use_fused_kernels(nn.Sequential(sampling))
    assert sampling.fused_on_gpu
    assert not BagSampling().fused_on_gpu
