"""Weights of the released format that anybody can re-create, and outputs of the released code."""

import gzip
import importlib.util
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

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
from rvos.models.referdino.tracker import FollowedTracks
from rvos.ops.gather import gather_queries
from rvos.structures import AuxiliarySegmentationOutput, TextTokens

DATA = Path(__file__).parent / "data"
# The complete golden data are too large for the repository.
ALL_GOLDEN = Path(__file__).parents[3] / "shared" / "parity"
# Scores closer than this may change places: float32 noise on them is 8e-6 in the golden data.
TIE = 2e-5


class Deviations:
    """Compares tensors, and keeps the worst deviations for the table at the end of the run."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], tuple[str, str]] = {}

    def check(
        self,
        case: str,
        name: str,
        values: tuple[Tensor, Tensor],
        tolerance: float,
        relative: float = 0.0,
    ) -> None:
        """Assert that two tensors are equal to ``tolerance + relative * reference``."""
        found, reference = (value.double() for value in values)
        assert found.shape == reference.shape, f"{case}: {name}"
        difference = (found - reference).abs()
        worst = float(difference.max())
        allowed = f"{tolerance:.0e}" + (f" + {relative:.0e} x" if relative else "")
        self.rows[case, name] = (f"{worst:.1e}", allowed)
        assert bool((difference <= tolerance + relative * reference.abs()).all()), (
            f"{case}: {name} deviates by {worst:.2e}, allowed is {allowed}"
        )

    def note(self, case: str, name: str, value: str, allowed: str) -> None:
        """Keep a figure that is no deviation."""
        self.rows[case, name] = (value, allowed)

    def table(self) -> list[str]:
        """Lay the figures out."""
        rows = [("case", "tensor", "worst", "allowed")]
        rows += [(*names, *figures) for names, figures in sorted(self.rows.items())]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        return [
            f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}"
            for row in rows
        ]


_DEVIATIONS = Deviations()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table with `pytest -m parity -s`."""
    if _DEVIATIONS.rows and terminalreporter.config.getoption("capture") == "no":
        terminalreporter.section("worst deviation from the reference")
        for line in _DEVIATIONS.table():
            terminalreporter.write_line(line)


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


def after_an_evaluation(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Do to the base weights what one evaluation does in the released code.

    It merges the adapters in float32 and takes them out again, which leaves a rounding error. The
    golden float64 runs came after the float32 ones, so their base weights have it.
    """
    merged = merge_lora(weights)
    changed = dict(weights)
    for key, factor in weights.items():
        if key.endswith("lora_A"):
            prefix = key.removesuffix("lora_A")
            update = weights[f"{prefix}lora_B"] @ factor / factor.shape[0]
            changed[f"{prefix}weight"] = merged[f"{prefix}weight"] - update
    return changed


def released_swin_tiny(seed: int, dtype: torch.dtype) -> ReferDINO:
    """Build the released Swin-T model; adapters are merged in ``dtype``, as the golden run did."""
    weights = released_weights("referdino_mevis_swint", seed)
    if dtype == torch.float64:
        weights = after_an_evaluation(weights)
    weights = {key: value.to(dtype) for key, value in weights.items()}
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
    """What the model returned, and what happened inside.

    Attributes:
        model: The model.
        output: Its output.
        grounding: Proposals and queries.
        track_orders: The tracker's permutations, by decoder layer.
        num_swaps: Ranks that a tie would have given to another proposal than the golden run.
    """

    model: ReferDINO
    output: AuxiliarySegmentationOutput
    grounding: Grounding
    track_orders: list[Tensor] = field(default_factory=list)
    num_swaps: int = 0


def known_tokens(indices: Tensor, usable: Tensor) -> Tensor:
    """Give tokens on padding or at the border, which share one content, numbers of their order."""
    unusable = ~usable.gather(1, indices)
    return torch.where(unusable, usable.shape[1] + unusable.cumsum(1), indices)


def ranked_as(indices: Tensor, swaps: list[Tensor]) -> Callable[..., Proposals]:
    """Make a hook that takes near-equal proposals in a given order.

    Float32 noise decides which of two tokens of near-equal score comes first, and the rank decides
    a query's content. So that numbers can be compared at all, ties are broken as in the golden run;
    two tokens of clearly different scores are never exchanged. Counts of swaps go to ``swaps``.
    """

    def rank(_module: nn.Module, _inputs: object, found: Proposals) -> Proposals:
        wanted = indices[: len(found.indices)]
        ours, theirs = (known_tokens(each, found.token_usable) for each in (found.indices, wanted))
        swaps.append((ours != theirs).sum())
        scores = (found.token_logits.gather(1, each) for each in (found.indices, wanted))
        gap = torch.sub(*scores).abs() * (ours != theirs)
        assert float(gap.max()) <= TIE
        places = (theirs.unsqueeze(2) == ours.unsqueeze(1)).int().argmax(-1)
        assert torch.equal(ours.gather(1, places), theirs)
        return replace(
            found,
            features=gather_queries(found.features, places),
            initial_boxes_cxcywh=gather_queries(found.initial_boxes_cxcywh, places),
            boxes_cxcywh=gather_queries(found.boxes_cxcywh, places),
            indices=found.indices.gather(1, places),
        )

    return rank


def run_with_record(
    model: ReferDINO, golden: dict[str, Tensor], ranks: Tensor | None = None
) -> Run:
    """Run the model on a golden case and keep the grounding and the tracker's permutations."""
    groundings: list[Grounding] = []
    orders: list[Tensor] = []
    swaps: list[Tensor] = []
    hooks = [model.grounder.register_forward_hook(lambda *call: groundings.append(call[2]))]
    if ranks is not None:
        hook = ranked_as(ranks, swaps)
        hooks.append(model.grounder.proposal_selector.register_forward_hook(hook))
    frames = golden["input.pixel_values"].to(model.grounder.query_embeddings.weight.dtype)
    padding = golden.get("input.pixel_mask_pad")
    follow = MemoryAugmentedTracker.follow

    def noting_follow(*inputs: Any) -> FollowedTracks:
        followed = follow(*inputs)
        orders.append(followed.order)
        return followed

    with torch.no_grad(), patch.object(MemoryAugmentedTracker, "follow", noting_follow):
        output = model.forward_with_auxiliary(
            frames, tokens(golden), None if padding is None else ~padding
        )
    for handle in hooks:
        handle.remove()
    return Run(model, output, groundings[0], orders, int(sum(swaps)))


def tokens(golden: dict[str, Tensor]) -> TextTokens:
    """Read the tokens of a golden case."""
    return TextTokens(golden["input.input_ids"], golden["input.attention_mask"])


def complete_golden(name: str) -> dict[str, Tensor]:
    """Read a golden file that is not in the repository."""
    path = ALL_GOLDEN / name
    if not path.is_file():
        message = f"{path} is not there: the complete golden data lie beside the repository"
        if os.environ.get("RVOS_REQUIRE_GOLDEN") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return load_file(path)


@pytest.fixture(scope="session")
def deviations() -> Deviations:
    """Compare tensors; `pytest -m parity -s` prints the worst deviations."""
    return _DEVIATIONS


@pytest.fixture(scope="session")
def contents() -> Callable[[str], dict[str, Any]]:
    return released_contents


@pytest.fixture(scope="session")
def weights() -> Callable[[str, int], dict[str, Tensor]]:
    return released_weights


@pytest.fixture(scope="session")
def golden_tokens() -> Callable[[dict[str, Tensor]], TextTokens]:
    return tokens


@pytest.fixture(scope="session")
def impose_ranks() -> Callable[[Tensor, list[Tensor]], Callable[..., Proposals]]:
    """Make a hook on a proposal selector that breaks ties as the golden run did."""
    return ranked_as


@pytest.fixture(scope="session")
def case_a() -> dict[str, Tensor]:
    """One clip of four frames of 180x300, nothing padded."""
    return load_file(DATA / "case_a.safetensors")


@pytest.fixture(scope="session")
def complete_case_a() -> dict[str, Tensor]:
    """The same with masks and intermediate results of every layer."""
    return complete_golden("case_A.safetensors")


@pytest.fixture(scope="session")
def case_c() -> dict[str, Tensor]:
    """Two clips of three frames of different sizes and expressions, padded to 224x352."""
    return complete_golden("case_C.safetensors")


@pytest.fixture(scope="session")
def run_a64(case_a: dict[str, Tensor]) -> Run:
    return run_with_record(released_swin_tiny(4, torch.float64), case_a)


@pytest.fixture(scope="session")
def run_a32(case_a: dict[str, Tensor]) -> Run:
    ranks = case_a["mid.topk_proposals"].long()
    return run_with_record(released_swin_tiny(4, torch.float32), case_a, ranks)


@pytest.fixture(scope="session")
def run_c64(case_c: dict[str, Tensor]) -> Run:
    return run_with_record(released_swin_tiny(5, torch.float64), case_c)


@pytest.fixture(scope="session")
def run_c32(case_c: dict[str, Tensor]) -> Run:
    ranks = case_c["f64.textfix.mid.topk_proposals"].long()
    return run_with_record(released_swin_tiny(5, torch.float32), case_c, ranks)
