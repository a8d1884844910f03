"""Without pruning the grounder is transformers' GroundingDINO; with it, detection stays good."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from packaging.version import Version
from torch import Tensor
from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

from rvos.models.grounding_dino import (
    ConfidenceQueryPruner,
    Grounder,
    Grounding,
    KeepAllQueries,
)
from rvos.models.grounding_dino.pretrained import load_grounder
from rvos.models.grounding_dino.proposals import text_similarity
from rvos.ops.gather import gather_queries
from rvos.structures import TextTokens

Stock = GroundingDinoForObjectDetection
exact_stock = pytest.mark.skipif(
    Version(transformers.__version__) < Version("5.23"),
    reason="the stock model of 5.17 cuts the sine embedding of its text positions to integers",
)


@pytest.fixture(scope="module")
def folder(
    small_architecture: dict[str, Any],
    randomise_parameters: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A stock detector with random parameters, saved by transformers."""
    torch.manual_seed(0)
    backbone = {**small_architecture["backbone_config"], "out_indices": [2, 3, 4]}
    config = GroundingDinoConfig(**{**small_architecture, "backbone_config": backbone})
    stock = Stock(config)
    randomise_parameters(stock, 0.1)
    # All layers share one box head.
    for head in stock.bbox_embed:
        head.load_state_dict(stock.bbox_embed[0].state_dict())
    path = tmp_path_factory.mktemp("stock")
    stock.save_pretrained(path)
    return path


@pytest.fixture
def frames() -> Tensor:
    return torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(3)).double()


def detect(grounder: Grounder, frames: Tensor, tokens: TextTokens) -> Grounding:
    valid = torch.ones(len(frames), *frames.shape[-2:], dtype=torch.bool)
    result: Grounding = grounder.double().eval()(
        grounder.image_encoder(frames, valid), grounder.text_encoder(tokens)
    )
    return result


def logits_and_boxes(grounder: Grounder, grounding: Grounding, layer: int) -> tuple[Tensor, Tensor]:
    """Apply the detection heads to one decoder layer, with transformers' inverse sigmoid."""
    queries = grounding.layers[layer]
    reference = torch.special.logit(queries.reference_boxes_cxcywh, eps=1e-5)
    boxes = (grounder.query_decoder.box_head(queries.features) + reference).sigmoid()
    return text_similarity(queries.features, grounding.fused.text), boxes


@torch.no_grad()
def stock_layers(folder: Path, frames: Tensor, tokens: TextTokens) -> Any:
    stock = Stock.from_pretrained(folder).double().eval()
    return stock(
        pixel_values=frames,
        input_ids=tokens.input_ids,
        attention_mask=tokens.attention_mask,
        pixel_mask=torch.ones(len(frames), *frames.shape[-2:], dtype=torch.long),
    )


@exact_stock
@torch.no_grad()
def test_equals_stock_detection_without_pruning(
    folder: Path, frames: Tensor, tokens: TextTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The released weights want the inverse sigmoid's clamp at 1e-3; transformers has it at 1e-5.
    monkeypatch.setattr(
        "rvos.models.grounding_dino.query_decoder.inverse_sigmoid",
        lambda values: torch.special.logit(values, eps=1e-5),
    )
    grounder = load_grounder(folder, KeepAllQueries()).grounder
    grounding = detect(grounder, frames, tokens)
    stock = stock_layers(folder, frames, tokens)
    for index, layer in enumerate(grounding.layers):
        hidden = stock.intermediate_hidden_states[:, index]
        torch.testing.assert_close(layer.features, hidden, rtol=0, atol=1e-5)
    logits, boxes = logits_and_boxes(grounder, grounding, layer=-1)
    torch.testing.assert_close(logits, stock.logits.amax(-1).double(), rtol=0, atol=1e-5)
    torch.testing.assert_close(boxes, stock.pred_boxes, rtol=0, atol=1e-5)


@exact_stock
@torch.no_grad()
def test_first_layer_equals_stock_detection_with_the_released_clamp(
    folder: Path, frames: Tensor, tokens: TextTokens
) -> None:
    grounding = detect(load_grounder(folder, KeepAllQueries()).grounder, frames, tokens)
    hidden = stock_layers(folder, frames, tokens).intermediate_hidden_states[:, 0]
    torch.testing.assert_close(grounding.layers[0].features, hidden, rtol=0, atol=1e-5)


@torch.no_grad()
def test_pruned_detection_keeps_the_best_boxes(
    folder: Path, frames: Tensor, tokens: TextTokens
) -> None:
    """After one layer a quarter of the queries still holds the detection's best one."""
    grounder = load_grounder(folder, KeepAllQueries()).grounder
    whole = detect(grounder, frames, tokens)
    pruned = load_grounder(folder, ConfidenceQueryPruner(0.25)).grounder
    layer = detect(pruned, frames, tokens).layers[0]
    assert layer.kept.shape == (2, 6)
    logits, boxes = logits_and_boxes(grounder, whole, layer=0)
    best = logits.argmax(-1, keepdim=True)
    assert bool((layer.kept == best).any(-1).all())
    # What is kept is what the unpruned detection has there, and scores above the average.
    reference = torch.special.logit(layer.reference_boxes_cxcywh, eps=1e-5)
    kept_boxes = (pruned.query_decoder.box_head(layer.features) + reference).sigmoid()
    torch.testing.assert_close(kept_boxes, gather_queries(boxes, layer.kept))
    assert bool((logits.gather(1, layer.kept).mean(-1) > logits.mean(-1)).all())


def test_content_belongs_to_the_rank(folder: Path, frames: Tensor, tokens: TextTokens) -> None:
    grounder = load_grounder(folder).grounder
    content = []
    grounder.query_decoder.register_forward_pre_hook(
        lambda _module, inputs: content.append(inputs[0])
    )
    with torch.no_grad():
        detect(grounder, frames, tokens)
    assert torch.equal(content[0][0], grounder.query_embeddings.weight)
    assert torch.equal(content[0][1], content[0][0])


def test_box_head_starts_without_refinement() -> None:
    with torch.device("cpu"):
        grounder = Grounder("tiny")
    head = grounder.query_decoder.box_head
    queries = torch.randn(1, 2, grounder.hidden_dim)
    assert torch.equal(head(queries), torch.zeros(1, 2, 4))
