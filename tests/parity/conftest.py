"""Weights of the released format that anybody can re-create, and outputs of the released code."""

import gzip
import importlib.util
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from rvos.checkpoints.referdino import merge_lora, rename_released
from rvos.models.grounding_dino import Grounder, Grounding
from rvos.models.grounding_dino.proposals import Proposals
from rvos.models.referdino import (
    CrossModalTemporalDecoder,
    FPNPixelDecoder,
    GroundingGuidedMaskDecoder,
    MemoryAugmentedTracker,
    ObjectConsistentTemporalEnhancer,
    ReferDINO,
)
from rvos.ops.gather import gather_queries
from rvos.structures import AuxiliarySegmentationOutput, TextTokens

DATA = Path(__file__).parent / "data"
# The complete golden data are too large for the repository.
ALL_GOLDEN = Path(__file__).parents[3] / "shared" / "parity"


def released_contents(name: str) -> dict[str, Any]:
    """Read names and shapes of a released file, and what it trains and adapts."""
    content: dict[str, Any] = json.loads(gzip.decompress((DATA / f"{name}.json.gz").read_bytes()))
    return content


def released_weights(name: str, seed: int) -> dict[str, Tensor]:
    """Make random weights under the names of a released file."""
    location = Path(__file__).with_name("weights_rule.py")
    spec = importlib.util.spec_from_file_location("weights_rule", location)
    assert spec is not None
    assert spec.loader is not None
    rule = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rule)
    weights: dict[str, Tensor] = rule.make_state_dict(released_contents(name)["shapes"], seed)
    return weights


def released_swin_tiny(seed: int, dtype: torch.dtype) -> ReferDINO:
    """Build the released Swin-T model; adapters are merged in ``dtype``, as the golden run did."""
    weights = {
        key: value.to(dtype)
        for key, value in released_weights("referdino_mevis_swint", seed).items()
    }
    renamed, unknown = rename_released(merge_lora(weights))
    assert unknown == []
    model = ReferDINO(
        Grounder("swin_tiny"),
        ObjectConsistentTemporalEnhancer(MemoryAugmentedTracker(), CrossModalTemporalDecoder()),
        FPNPixelDecoder(),
        GroundingGuidedMaskDecoder(),
    )
    model.to(dtype).load_state_dict(renamed)
    return model.eval()


@dataclass
class Run:
    """What the model returned, and what happened inside."""

    model: ReferDINO
    output: AuxiliarySegmentationOutput
    grounding: Grounding
    track_orders: list[Tensor] = field(default_factory=list)


def ranked_as(indices: Tensor) -> Callable[..., Proposals]:
    """Make a hook that ranks the same proposals in a given order."""

    def rank(_module: nn.Module, _inputs: object, found: Proposals) -> Proposals:
        places = (indices.unsqueeze(2) == found.indices.unsqueeze(1)).int().argmax(-1)
        assert torch.equal(found.indices.gather(1, places), indices)
        return replace(
            found,
            features=gather_queries(found.features, places),
            initial_boxes_cxcywh=gather_queries(found.initial_boxes_cxcywh, places),
            boxes_cxcywh=gather_queries(found.boxes_cxcywh, places),
            indices=indices,
        )

    return rank


def run_with_record(
    model: ReferDINO, golden: dict[str, Tensor], ranks: Tensor | None = None
) -> Run:
    """Run the model on a golden case and keep the grounding and the tracker's permutations."""
    groundings: list[Grounding] = []
    orders: list[Tensor] = []
    assert model.temporal_enhancer is not None
    assert model.temporal_enhancer.tracker is not None
    hooks = [
        model.grounder.register_forward_hook(lambda *call: groundings.append(call[2])),
        model.temporal_enhancer.tracker.register_forward_hook(lambda *call: orders.append(call[2])),
    ]
    if ranks is not None:
        hooks.append(model.grounder.proposal_selector.register_forward_hook(ranked_as(ranks)))
    frames = golden["input.pixel_values"].to(model.grounder.query_embeddings.weight.dtype)
    padding = golden.get("input.pixel_mask_pad")
    with torch.no_grad():
        output = model.forward_with_auxiliary(
            frames, tokens(golden), None if padding is None else ~padding
        )
    for hook in hooks:
        hook.remove()
    return Run(model, output, groundings[0], orders)


def tokens(golden: dict[str, Tensor]) -> TextTokens:
    """Read the tokens of a golden case."""
    return TextTokens(golden["input.input_ids"], golden["input.attention_mask"])


@pytest.fixture(scope="session")
def contents() -> Callable[[str], dict[str, Any]]:
    return released_contents


@pytest.fixture(scope="session")
def weights() -> Callable[[str, int], dict[str, Tensor]]:
    return released_weights


@pytest.fixture(scope="session")
def case_a() -> dict[str, Tensor]:
    """One clip of four frames of 180x300, nothing padded."""
    return load_file(DATA / "case_a.safetensors")


@pytest.fixture(scope="session")
def run_a64(case_a: dict[str, Tensor]) -> Run:
    return run_with_record(released_swin_tiny(4, torch.float64), case_a)


@pytest.fixture(scope="session")
def run_a32(case_a: dict[str, Tensor]) -> Run:
    """Float32 noise swaps a few ranks of near-equal score, and the rank decides a query's content.

    So that the numbers can be compared at all, the proposals take the released order.
    """
    ranks = case_a["mid.topk_proposals"].long()
    return run_with_record(released_swin_tiny(4, torch.float32), case_a, ranks)


@pytest.fixture(scope="session")
def case_c() -> dict[str, Tensor]:
    """Two clips of three frames of different sizes and expressions, padded to 224x352."""
    path = ALL_GOLDEN / "case_C.safetensors"
    if not path.is_file():
        message = f"{path} is not there"
        if os.environ.get("RVOS_REQUIRE_GOLDEN") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return load_file(path)


@pytest.fixture(scope="session")
def run_c64(case_c: dict[str, Tensor]) -> Run:
    return run_with_record(released_swin_tiny(5, torch.float64), case_c)
