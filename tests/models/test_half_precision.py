"""Under autocast the large products are rounded, what ranks and places is not."""

from typing import Any

import pytest
import torch
import yaml
from torch import Tensor

from rvos.layers.described import build
from rvos.layers.levers import levers_off
from rvos.models.grounding_dino.fusion_encoder import FusedFeatures
from rvos.models.grounding_dino.proposals import word_similarity
from rvos.models.referdino import ReferDINO
from rvos.structures import ReferenceText, TextTokens

TOKENS = TextTokens(torch.tensor([[101, 7, 8, 1012, 102]]), torch.ones(1, 5, dtype=torch.int64))
ROUNDED = (
    "grounder.image_encoder.backbone.swin.embeddings.patch_embeddings.projection",
    "grounder.image_encoder.projections.0.0",
    "grounder.fusion_encoder.layers.0.fusion_layer.attn.vision_proj",
    "grounder.fusion_encoder.layers.0.deformable_layer.fc1",
    "grounder.fusion_encoder.layers.0.deformable_layer.self_attn.value_proj",
    "grounder.query_decoder.layers.1.encoder_attn.value_proj",
    "grounder.query_decoder.layers.1.fc1",
    "pixel_decoder.output",
    "mask_head.layers.0.fc1",
)
EXACT = (
    "grounder.text_encoder.projection",
    "grounder.proposal_selector.projection",
    "grounder.query_decoder.box_head",
    "grounder.query_decoder.position_head",
    "grounder.query_decoder.norm",
    "temporal_enhancer.temporal_decoder.blocks.0.sentence_decoder",
)


@pytest.fixture
def model(request: pytest.FixtureRequest) -> ReferDINO:
    path = request.config.rootpath / "tests" / "integration" / "referdino_nano.yaml"
    torch.manual_seed(0)
    built = build(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert isinstance(built, ReferDINO)
    return built.eval()


@torch.no_grad()
def test_where_the_rounding_is(model: ReferDINO) -> None:
    dtypes: dict[str, torch.dtype] = {}
    calls: dict[str, dict[str, Any]] = {}
    for name, module in model.named_modules():
        if name in ROUNDED + EXACT:
            module.register_forward_hook(
                lambda _module, _inputs, found, name=name: dtypes.update({name: found.dtype})
            )
        if name.endswith(("encoder_attn", "deformable_layer")):
            module.register_forward_pre_hook(
                lambda _module, _inputs, call, name=name: calls.update({name: call}),
                with_kwargs=True,
            )
    # The plain ways pass through every module; these two levers leave some of them out.
    plain = levers_off(model, ["folded_fusion", "sample_then_project"])
    with torch.autocast("cpu", dtype=torch.bfloat16), plain:
        output = model(torch.randn(1, 2, 3, 64, 96), TOKENS)
    assert dtypes == {
        **dict.fromkeys(ROUNDED, torch.bfloat16),
        **dict.fromkeys(EXACT, torch.float32),
    }
    assert len(calls) == 3
    assert {call["reference_points"].dtype for call in calls.values()} == {torch.float32}
    assert output.pred_logits.dtype == output.pred_boxes.dtype == torch.float32
    assert output.pred_masks.dtype == torch.bfloat16


@torch.no_grad()
def test_proposals_are_ranked_as_without_autocast(model: ReferDINO) -> None:
    image = model.encode_frames(torch.randn(1, 2, 3, 64, 96))[0]
    memory = image.tokens.to(torch.bfloat16)
    text = ReferenceText(torch.randn(2, 5, 32), torch.ones(2, 5, dtype=torch.bool))
    select = model.grounder.proposal_selector
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = select(FusedFeatures(memory, text), image)
    expected = select(FusedFeatures(memory.float(), text), image)
    for name, value in vars(expected).items():
        assert torch.equal(getattr(found, name), value), name


def test_close_scores_stay_apart() -> None:
    # Two in 1,000 apart: half precision of eight bits would call them equal.
    queries = torch.tensor([[[1.0], [1.002]]])
    text = ReferenceText(torch.ones(1, 1, 1), torch.ones(1, 1, dtype=torch.bool))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores: Tensor = word_similarity(queries, text)
    assert float(scores[0, 1, 0]) > float(scores[0, 0, 0])
