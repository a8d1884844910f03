"""Model, losses and inference on another device than the CPU, on machines that have none.

A stand-in accelerator keeps its values in the CPU's memory, says that it is another device, and
refuses what an accelerator refuses: an operation whose tensors lie in both places. So a tensor that
some line forgets to make on the right device is found without a GPU, and results can be compared.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map

from rvos.inference import Predictor
from rvos.layers.described import build
from rvos.losses import SetCriterion, TokenScoreLoss
from rvos.metrics import JAndF
from rvos.models.referdino import ReferDINO
from rvos.structures import ClipTargets, TextTokens

# The only device besides the CPU for which every build of torch brings what Python indexing asks.
NAME = "meta"
aten = torch.ops.aten
# An accelerator takes indices and values from the CPU, too.
MAY_MIX = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten.copy_.default}


class Remote(Tensor):
    """A tensor on the stand-in; ``values_on_host`` is where they are in truth."""

    @staticmethod
    def __new__(cls: type["Remote"], values: Tensor) -> "Remote":
        make: Callable[..., Remote] = Tensor._make_wrapper_subclass
        return make(
            cls,
            values.shape,
            strides=values.stride(),
            storage_offset=values.storage_offset(),
            dtype=values.dtype,
            device=NAME,
            requires_grad=values.requires_grad,
        )

    def __init__(self, values: Tensor) -> None:
        self.values_on_host = values

    def __repr__(self) -> str:  # type: ignore[override]
        return f"Remote({self.values_on_host})"

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return run(func, args, kwargs or {})


def run(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Do one operation where its tensors are."""
    leaves = tree_leaves((args, kwargs))
    tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
    remote = [each for each in tensors if isinstance(each, Remote)]
    local = [each for each in tensors if not isinstance(each, Remote)]
    assert not any(each.device.type == NAME for each in local), f"{func}: values were lost"
    # Numbers may come from anywhere.
    if remote and any(each.dim() for each in local) and func not in MAY_MIX:
        message = f"{func}: tensors are on two devices"
        raise RuntimeError(message)
    result = func(*tree_map(on_host, args), **tree_map(on_host, kwargs))
    for device in leaves:
        if isinstance(device, torch.device):
            return tree_map(on_device, result) if device.type == NAME else result
    if not (isinstance(args[0], Remote) if func in MAY_MIX else remote):
        return result
    return return_and_correct_aliasing(func, args, kwargs, tree_map(on_device, result))


def on_host(value: Any) -> Any:
    if isinstance(value, torch.device):
        return torch.device("cpu")
    return value.values_on_host if isinstance(value, Remote) else value


def on_device(value: Any) -> Any:
    """Move a tensor, or the tensors of a dataclass."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        moved = {name: on_device(each) for name, each in vars(value).items()}
        return dataclasses.replace(value, **moved)
    return Remote(value) if isinstance(value, Tensor) and not isinstance(value, Remote) else value


class Factories(TorchDispatchMode):
    """Sees what makes tensors from no tensor."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return run(func, args, kwargs or {})


class Literals(TorchFunctionMode):
    """Sees tensors made from Python numbers, which torch makes unseen by any dispatcher."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.tensor and kwargs.get("device") is not None:
            device = torch.device(kwargs["device"])
            made = func(*args, **{**kwargs, "device": "cpu"})
            return Remote(made) if device.type == NAME else made
        if func is Tensor.__getitem__ and isinstance(args[0], Remote):
            places = args[1] if isinstance(args[1], tuple) else (args[1],)
            listed = tuple(torch.tensor(at) if isinstance(at, list) else at for at in places)
            return func(args[0], listed)
        return func(*args, **kwargs)


@pytest.fixture
def accelerator(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    autocast = torch.autocast

    def without_the_stand_in(device: str, **options: Any) -> Any:
        return contextlib.nullcontext() if device == NAME else autocast(device, **options)

    monkeypatch.setattr(torch, "autocast", without_the_stand_in)
    with Literals(), Factories():  # type: ignore[no-untyped-call]
        yield


def move(model: ReferDINO) -> ReferDINO:
    for module in model.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                moved = nn.Parameter(Remote(parameter.detach()), parameter.requires_grad)
                module._parameters[name] = moved
        for name, buffer in module._buffers.items():
            module._buffers[name] = on_device(buffer)
    return model


PUBLISHED: dict[str, Any] = {}
OTHER = {
    "grounder.query_pruner": {"score": "paper"},
    "temporal_enhancer": {"sentence": "mean"},
    "temporal_enhancer.tracker": {"confidence": "paper", "locality": 4.0},
    "temporal_enhancer.temporal_decoder": {"temporal_position": "sine_box_and_motion"},
    "mask_head": {"mask_position": "sine"},
}


def nano(options: dict[str, Any], request: pytest.FixtureRequest) -> ReferDINO:
    path = request.config.rootpath / "tests" / "integration" / "referdino_nano.yaml"
    described = yaml.safe_load(path.read_text(encoding="utf-8"))
    for part, arguments in options.items():
        place = described
        for name in part.split("."):
            place = place["init_args"][name]
        place.setdefault("init_args", {}).update(arguments)
    torch.manual_seed(0)
    model = build(described)
    assert isinstance(model, ReferDINO)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def clip_with(num_tracks: int) -> ClipTargets:
    masks = torch.zeros(num_tracks, 2, 64, 96, dtype=torch.bool)
    masks[:, :, 8:40, 8:40] = True
    present = torch.ones(num_tracks, 2, dtype=torch.bool)
    referred = torch.arange(num_tracks) == 0
    return ClipTargets(torch.rand(num_tracks, 2, 4) * 0.3 + 0.2, masks, present, referred)


TOKENS = TextTokens(
    torch.tensor([[101, 7, 8, 1012, 102], [101, 9, 1012, 102, 0]]),
    torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]]),
)


def test_the_stand_in_finds_what_it_is_for(accelerator: None) -> None:
    far, near = Remote(torch.rand(3, 4)), torch.rand(3, 4)
    with pytest.raises(RuntimeError, match="two devices"):
        far + near
    with pytest.raises(RuntimeError, match="two devices"):
        torch.cat([far, torch.zeros(1, 4)])
    with pytest.raises((RuntimeError, TypeError)):
        far.numpy()
    assert torch.equal((far + near.to(far.device)).cpu(), far.values_on_host + near)
    assert far.new_zeros(2).device == torch.zeros(2, device=far.device).device == far.device


@pytest.mark.parametrize("options", [PUBLISHED, OTHER], ids=["published", "other"])
def test_segmentation(
    options: dict[str, Any], request: pytest.FixtureRequest, accelerator: None
) -> None:
    model = nano(options, request)
    frames = torch.randn(2, 3, 3, 64, 96)
    valid = torch.ones(2, 3, 64, 96, dtype=torch.bool)
    valid[1, :, 48:] = False
    with torch.no_grad():
        expected = model(frames, TOKENS, valid)
        # Tokens come from the host; the model takes them along.
        found = move(model)(Remote(frames), TOKENS, Remote(valid))
    for name, value in vars(expected).items():
        assert isinstance(getattr(found, name), Remote)
        torch.testing.assert_close(getattr(found, name).cpu(), value, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "criterion",
    [
        SetCriterion(convention="released"),
        SetCriterion(target_tracks="all", token_loss=TokenScoreLoss(), duplicate_iou=0.6),
    ],
    ids=["released", "repaired"],
)
def test_losses_and_gradients(
    criterion: SetCriterion, request: pytest.FixtureRequest, accelerator: None
) -> None:
    torch.manual_seed(1)
    frames = torch.randn(2, 2, 3, 64, 96)
    valid = torch.ones(2, 2, 64, 96, dtype=torch.bool)
    targets = [clip_with(2), clip_with(3)]
    model = nano(PUBLISHED, request)
    expected = criterion(model.forward_with_auxiliary(frames, TOKENS, valid), targets, valid)
    expected.total.backward()
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    output = move(model).forward_with_auxiliary(Remote(frames), TOKENS, Remote(valid))
    found = criterion(output, [on_device(clip) for clip in targets], Remote(valid))
    found.total.backward()
    assert found.terms.keys() == expected.terms.keys()
    assert all(isinstance(term, Remote) for term in found.terms.values())
    torch.testing.assert_close(found.total.cpu(), expected.total, rtol=1e-4, atol=1e-4)
    reached = {name for name, p in model.named_parameters() if p.grad is not None}
    assert reached == gradients.keys()
    for name, expected_gradient in gradients.items():
        gradient = model.get_parameter(name).grad
        assert isinstance(gradient, Remote)
        size = max(1.0, float(expected_gradient.abs().max()))
        values = gradient.values_on_host / size, expected_gradient / size
        torch.testing.assert_close(*values, rtol=0, atol=1e-3)


def test_a_video(
    request: pytest.FixtureRequest, accelerator: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Wrapped tensors do not go with inference mode.
    monkeypatch.setattr(torch, "inference_mode", torch.no_grad)
    model = nano(PUBLISHED, request)
    tokens = TextTokens(TOKENS.input_ids[:1], TOKENS.attention_mask[:1])
    model.tokenizer = lambda _: tokens  # type: ignore[assignment]
    video = np.random.default_rng(0).integers(0, 255, (3, 64, 96, 3), np.uint8)
    (expected,) = Predictor(model, short_side=64).segment(video, "a red car")
    (found,) = Predictor(move(model), short_side=64).segment(video, "a red car")
    assert not isinstance(found.masks, Remote)
    # Fast kernels of the processor round otherwise than the plain ones that other devices get.
    assert (found.masks != expected.masks).float().mean() < 1e-3


def test_region_and_contour(accelerator: None) -> None:
    masks, target = torch.rand(3, 20, 30) > 0.5, torch.rand(3, 20, 30) > 0.5
    expected, found = JAndF(), JAndF()
    expected.update([masks], [target], ["clip"])
    found.update([Remote(masks)], [Remote(target)], ["clip"])
    ours, theirs = (metric.compute().overall for metric in (found, expected))
    assert (float(ours.j), float(ours.f)) == (float(theirs.j), float(theirs.f))
