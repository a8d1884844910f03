"""Gradients: right through the sampling, from masks to the box head, and none to what is frozen."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor, nn

from rvos.layers.described import build
from rvos.losses.masks import mask_dice_loss
from rvos.models.adaptation import AdaptationPolicy
from rvos.models.mask_heads.base import MaskFeatures, MaskQueries
from rvos.models.referdino import GroundingGuidedMaskDecoder, ReferDINO
from rvos.structures import ReferenceText, TextTokens

pytestmark = pytest.mark.parity

TOKENS = TextTokens(torch.tensor([[101, 7, 8, 1012, 102]]), torch.ones(1, 5, dtype=torch.int64))


def randomised(module: nn.Module, scale: float = 0.1) -> nn.Module:
    """Move every parameter, so that nothing hides behind a zero initialisation."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(scale * torch.randn_like(parameter))
    return module


@pytest.fixture
def nano(request: pytest.FixtureRequest) -> ReferDINO:
    config = request.config.rootpath / "tests" / "integration" / "referdino_nano.yaml"
    torch.manual_seed(0)
    model = build(yaml.safe_load(config.read_text(encoding="utf-8")))
    assert isinstance(model, ReferDINO)
    randomised(model)
    return model.double().eval()


def test_sampling_with_respect_to_the_reference_box() -> None:
    torch.manual_seed(0)
    decoder = GroundingGuidedMaskDecoder(8, 1, 2, 3, 8)
    randomised(decoder)
    decoder.double().eval()
    width = {"dtype": torch.float64}
    features = MaskFeatures(
        torch.randn(1, 8, 5, 7, **width),  # type: ignore[call-overload]
        torch.ones(1, 5, 7, dtype=torch.bool),
        torch.ones(1, 2, **width),  # type: ignore[call-overload]
    )
    text = ReferenceText(torch.randn(1, 3, 8, dtype=torch.float64), torch.ones(1, 3).bool())
    queries = MaskQueries(
        torch.randn(1, 2, 8, dtype=torch.float64),
        torch.tensor([[[0.52, 0.47, 0.31, 0.42], [0.33, 0.61, 0.25, 0.22]]], dtype=torch.float64),
        torch.randn(1, 2, 8, dtype=torch.float64),
    )
    boxes = queries.reference_boxes_cxcywh.clone().requires_grad_()

    def masks(reference_boxes: Tensor) -> Tensor:
        found: Tensor = decoder(
            replace(queries, reference_boxes_cxcywh=reference_boxes), features, text
        )
        return found

    assert torch.autograd.gradcheck(masks, (boxes,), eps=1e-7, atol=1e-6)
    gradient = torch.autograd.grad(masks(boxes).square().sum(), boxes)[0]
    assert bool((gradient.abs() > 1e-4).all())


@contextmanager
def constants_replayed(layers: nn.ModuleList, record: list[dict[str, Tensor]]) -> Iterator[None]:
    """Give decoder layers the boxes of the first call again: what autograd takes for constant."""
    names = ("position_embeddings", "reference_points")
    calls = iter(range(len(layers)))

    def replay(_module: nn.Module, inputs: tuple[()], call: dict[str, Any]) -> tuple[Any, Any]:
        index = next(calls)
        if len(record) <= index:
            record.append({name: call[name].detach() for name in names})
        return inputs, {**call, **record[index]}

    hooks = [layer.register_forward_pre_hook(replay, with_kwargs=True) for layer in layers]
    yield
    for hook in hooks:
        hook.remove()


def test_the_segmentation_loss_reaches_the_box_head(nano: ReferDINO) -> None:
    """Its gradient is the slope of the loss, with boxes inside the decoder layers held fixed."""
    decoder = nano.grounder.query_decoder
    bias = decoder.box_head.layers[-1].bias
    assert isinstance(bias, Tensor)
    frames = torch.randn(1, 2, 3, 64, 96, dtype=torch.float64)
    target = torch.zeros(6, 2, 16, 24, dtype=torch.bool)
    target[:, :, 4:12, 6:18] = True
    record: list[dict[str, Tensor]] = []

    def loss() -> Tensor:
        with constants_replayed(decoder.layers, record):
            masks = nano(frames, TOKENS).pred_masks[0].transpose(0, 1)
        wanted = target[: len(masks)]
        return mask_dice_loss(masks, wanted, torch.ones_like(wanted)).sum()

    (gradient,) = torch.autograd.grad(loss(), bias)
    assert float(gradient.abs().min()) > 1e-6
    step = 1e-6
    for place in range(4):
        sides = []
        for sign in (1, -1):
            with torch.no_grad():
                bias[place] += sign * step
                sides.append(loss())
                bias[place] -= sign * step
        slope = float((sides[0] - sides[1]) / (2 * step))
        assert slope == pytest.approx(float(gradient[place]), rel=1e-4)


@pytest.mark.parametrize("trainable", ["published", "all_but_backbone", "decoders", "temporal"])
def test_frozen_parameters_get_no_gradient(nano: ReferDINO, trainable: Any) -> None:
    names = AdaptationPolicy(trainable, rank=2).apply(nano)
    nano.train()
    frames = torch.randn(1, 2, 3, 64, 96, dtype=torch.float64)
    output = nano.double().forward_with_auxiliary(frames, TOKENS)
    outputs = [output, *output.aux_outputs, output.proposal_output]
    sums = [
        tensor.square().sum()
        for each in outputs
        for tensor in (each.pred_logits, each.pred_boxes, each.pred_masks)
    ]
    torch.stack([total for total in sums if total.requires_grad]).sum().backward()
    reached = {name for name, parameter in nano.named_parameters() if parameter.grad is not None}
    assert reached <= set(names)
    assert reached
    frozen = {name for name, p in nano.named_parameters() if not p.requires_grad}
    assert frozen == {name for name, _ in nano.named_parameters()} - set(names)
    assert frozen
