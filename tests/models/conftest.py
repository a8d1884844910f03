"""A model of a few hundred thousand random parameters, in float64, and clips for it."""

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from rvos.models.grounding_dino import ConfidenceQueryPruner, Grounder
from rvos.models.referdino import (
    CrossModalTemporalDecoder,
    FPNPixelDecoder,
    GroundingGuidedMaskDecoder,
    MemoryAugmentedTracker,
    ObjectConsistentTemporalEnhancer,
    ReferDINO,
)
from rvos.structures import TextTokens

DIM = 64
SMALL: dict[str, Any] = {
    "d_model": DIM,
    "num_queries": 24,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "num_feature_levels": 4,
    "encoder_n_points": 2,
    "decoder_n_points": 2,
    "max_text_len": 16,
    "dropout": 0.0,
    "fusion_droppath": 0.0,
    "text_config": {
        "model_type": "bert",
        "vocab_size": 1100,
        "hidden_size": DIM,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
        "intermediate_size": 32,
        "max_position_embeddings": 64,
    },
    "backbone_config": {
        "model_type": "swin",
        "embed_dim": 16,
        "depths": [1, 1, 1, 1],
        "num_heads": [2, 2, 2, 2],
        "window_size": 4,
        "image_size": 64,
        "drop_path_rate": 0.0,
    },
}


def randomise(module: nn.Module, scale: float = 0.05) -> nn.Module:
    """Move every parameter, so that nothing hides behind a zero initialisation."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            # By name, so that models that share a part also share its numbers.
            generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.add_(scale * noise.to(parameter.dtype))
    return module


def build(
    *,
    grounder: dict[str, Any] | None = None,
    pruner: nn.Module | None = None,
    temporal_position: str = "none",
    enhancer: bool = True,
    mask_head: nn.Module | None = None,
    **options: Any,
) -> ReferDINO:
    """Build the small model as its constructors leave it, in float32."""
    torch.manual_seed(3)
    decoder = CrossModalTemporalDecoder(DIM, 2, 4, 32, temporal_position)  # type: ignore[arg-type]
    default_head = GroundingGuidedMaskDecoder(DIM, 2, 4, 4, 32)
    return ReferDINO(
        Grounder({**SMALL, **(grounder or {})}, pruner or ConfidenceQueryPruner(min_queries=6)),
        ObjectConsistentTemporalEnhancer(MemoryAugmentedTracker(), decoder) if enhancer else None,
        FPNPixelDecoder(DIM, 16, min_width=16),
        mask_head if mask_head is not None else default_head,
        **options,
    )


@pytest.fixture(scope="session")
def small_architecture() -> dict[str, Any]:
    return SMALL


@pytest.fixture(scope="session")
def make_model() -> Callable[..., ReferDINO]:
    """Build small models with any part exchanged; random in every parameter, float64, evaluated."""

    def make(**options: Any) -> ReferDINO:
        model = build(**options)
        randomise(model)
        return model.double().eval()

    return make


@pytest.fixture(scope="session")
def make_untouched_model() -> Callable[..., ReferDINO]:
    """Build small models as their constructors leave them."""
    return build


@pytest.fixture(scope="session")
def randomise_parameters() -> Callable[..., nn.Module]:
    return randomise


@pytest.fixture(scope="session")
def model(make_model: Callable[..., ReferDINO]) -> ReferDINO:
    """The small model with everything as published. Tests leave it as it is."""
    return make_model()


def tokens_of(*expressions: list[int], padding: int = 0) -> TextTokens:
    """Wrap ids in [CLS] ... . [SEP] and pad them at the right."""
    rows = [[101, *ids, 1012, 102] for ids in expressions]
    length = max(map(len, rows))
    ids = torch.tensor([row + [padding] * (length - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in rows])
    return TextTokens(ids, mask)


@pytest.fixture(scope="session")
def make_tokens() -> Callable[..., TextTokens]:
    return tokens_of


@pytest.fixture
def clips() -> torch.Tensor:
    """Two clips of three frames, 44x72."""
    generator = torch.Generator().manual_seed(11)
    return torch.randn(2, 3, 3, 44, 72, generator=generator, dtype=torch.float64)


@pytest.fixture
def tokens() -> TextTokens:
    """Two expressions of different length."""
    return tokens_of([7, 8, 9, 10], [11, 12])


@pytest.fixture(scope="session")
def make_full_size() -> Callable[[str], dict[str, torch.Tensor]]:
    """Make zeros under the names of a released file, shared tensors as torch.save keeps them."""

    def make(name: str) -> dict[str, torch.Tensor]:
        path = Path(__file__).parents[1] / "parity" / "data" / f"{name}.json.gz"
        shared: dict[str, torch.Tensor] = {}
        weights = {}
        for key, shape in json.loads(gzip.decompress(path.read_bytes()))["shapes"].items():
            # The modules that a released model lists several times.
            for prefix in ("bbox_embed.", "temporal_decoder.", "ref_point_head."):
                head, found, tail = key.removeprefix("transformer.decoder.").partition(prefix)
                if found and not head:
                    rest = tail if prefix == "ref_point_head." else tail.split(".", 1)[1]
                    unique = f"{prefix}{rest}"
                    break
            else:
                unique = key
            if unique not in shared:
                shared[unique] = torch.zeros(shape)
            weights[key] = shared[unique]
        return weights

    return make
