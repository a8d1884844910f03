"""What trains: names and counts of the published recipe, and adapters that merge exactly."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rvos.checkpoints.referdino import rename_released
from rvos.models.adaptation import (
    AdaptationPolicy,
    adapted_layers,
    add_adapters,
    merge_adapters,
)
from rvos.models.grounding_dino import Grounder
from rvos.models.referdino import (
    CrossModalTemporalDecoder,
    FPNPixelDecoder,
    GroundingGuidedMaskDecoder,
    MemoryAugmentedTracker,
    ObjectConsistentTemporalEnhancer,
    ReferDINO,
)
from rvos.structures import TextTokens

Build = Callable[..., ReferDINO]
RELEASED = Path(__file__).parents[1] / "parity" / "data"
BERT_POOLER = 590_592


def published(backbone: Any) -> ReferDINO:
    """Build a published model without memory for its parameters."""
    with torch.device("meta"):
        return ReferDINO(
            Grounder(backbone),
            ObjectConsistentTemporalEnhancer(MemoryAugmentedTracker(), CrossModalTemporalDecoder()),
            FPNPixelDecoder(stage0_channels={"swin_tiny": 96, "swin_base": 128}[backbone]),
            GroundingGuidedMaskDecoder(),
        )


def released(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        gzip.decompress((RELEASED / f"{name}.json.gz").read_bytes())
    )
    return content


def our_names(released_names: list[str]) -> set[str]:
    """Translate names of released parameters, adapters included."""
    names = set()
    for name in released_names:
        adapter = next((part for part in ("lora_A", "lora_B") if name.endswith(part)), None)
        plain = name.replace(adapter, "weight") if adapter else name
        renamed, unknown = rename_released({plain: torch.zeros(3, 1)})
        assert unknown == [], name
        for new in renamed:
            names.add(new.replace(".weight", f".{adapter}.default.weight") if adapter else new)
    return names


@pytest.mark.parametrize(
    ("backbone", "config"),
    [("swin_tiny", "referdino_mevis_swint"), ("swin_base", "referdino_ytvos_swinb")],
)
def test_trainable_names_are_the_released_ones(backbone: str, config: str) -> None:
    names = AdaptationPolicy().apply(published(backbone))
    assert len(names) == len(set(names))
    assert set(names) == our_names(released(config)["trainable"])


@pytest.mark.parametrize(
    ("backbone", "video", "image", "total"),
    [
        ("swin_tiny", 15_335_924, 9_807_092, 187_807_730),
        ("swin_base", 15_337_012, 9_808_180, 247_872_944),
    ],
)
def test_parameter_counts_are_the_released_ones(
    backbone: str, video: int, image: int, total: int
) -> None:
    for train_temporal, expected in ((True, video), (False, image)):
        model = published(backbone)
        AdaptationPolicy(train_temporal=train_temporal).apply(model)
        counts = [value.numel() for value in model.parameters() if value.requires_grad]
        assert sum(counts) == expected
    # BERT's pooler, which nothing reads, is not made here.
    assert sum(value.numel() for value in model.parameters()) + BERT_POOLER == total


@pytest.mark.parametrize("backbone", ["swin_tiny", "swin_base"])
def test_number_of_adapted_layers(backbone: str) -> None:
    model = published(backbone)
    both = adapted_layers(model, encoder=True, decoder=True)
    decoder = adapted_layers(model, encoder=False, decoder=True)
    assert (len(both), len(decoder)) == (122, 38)
    assert set(decoder) < set(both)
    assert adapted_layers(model, encoder=False, decoder=False) == []
    # The list is the same once the layers are adapted.
    add_adapters(model)
    assert adapted_layers(model, encoder=True, decoder=True) == both


def test_adapted_layers_are_the_released_ones() -> None:
    modules = released("referdino_mevis_swint")["lora_modules"]
    assert len(modules) == 124
    expected = {
        name.removesuffix(".weight") for name in our_names([f"{m}.weight" for m in modules])
    }
    assert set(adapted_layers(published("swin_tiny"), encoder=True, decoder=True)) == expected


def test_parts_of_the_policy(make_untouched_model: Build) -> None:
    everything = AdaptationPolicy("all").apply(make_untouched_model())
    assert len(everything) == len(list(make_untouched_model().parameters()))
    temporal = AdaptationPolicy("temporal").apply(make_untouched_model())
    assert temporal
    assert all(name.startswith("temporal_enhancer.") for name in temporal)
    model = make_untouched_model()
    image = AdaptationPolicy("published", decoder_lora=False, train_temporal=False).apply(model)
    assert not any(name.startswith("temporal_enhancer.") for name in image)
    assert {name.split(".")[1] for name in image if ".lora_" in name} == {"fusion_encoder"}


@torch.no_grad()
def test_new_adapters_change_nothing(
    make_untouched_model: Build, clips: Tensor, tokens: TextTokens
) -> None:
    plain = make_untouched_model().double().eval()
    adapted = make_untouched_model()
    add_adapters(adapted, rank=4)
    adapted.double().eval()
    masks = plain(clips, tokens).pred_masks
    torch.testing.assert_close(adapted(clips, tokens).pred_masks, masks, rtol=0, atol=1e-9)


@torch.no_grad()
def test_merged_model_predicts_the_same_without_adapters(
    make_untouched_model: Build,
    randomise_parameters: Callable[..., nn.Module],
    clips: Tensor,
    tokens: TextTokens,
) -> None:
    model = make_untouched_model()
    names = set(model.state_dict())
    add_adapters(model, rank=4)
    randomise_parameters(model, 0.2)
    model.double().eval()
    before = model(clips, tokens)
    merged = merge_adapters(model)
    after = merged(clips, tokens)
    assert set(merged.state_dict()) == names
    torch.testing.assert_close(after.pred_logits, before.pred_logits, rtol=0, atol=1e-9)
    torch.testing.assert_close(after.pred_masks, before.pred_masks, rtol=0, atol=1e-9)


@torch.no_grad()
def test_scaling_is_one_over_the_rank(make_untouched_model: Build) -> None:
    model = make_untouched_model()
    add_adapters(model, rank=4)
    name = adapted_layers(model, encoder=False, decoder=True)[0]
    layer: Any = model.get_submodule(name)
    base = layer.base_layer.weight.clone()
    layer.lora_B["default"].weight.normal_()
    update = layer.lora_B["default"].weight @ layer.lora_A["default"].weight / 4
    merged: Any = merge_adapters(model).get_submodule(name)
    torch.testing.assert_close(merged.weight, base + update)


def test_frozen_parts_get_no_gradient_and_stay_in_evaluation(
    make_untouched_model: Build, clips: Tensor, tokens: TextTokens
) -> None:
    model = make_untouched_model(grounder={"fusion_droppath": 0.5})
    policy = AdaptationPolicy(rank=4)
    trainable = set(policy.apply(model))
    model.train()
    policy.set_frozen_parts_to_eval(model)
    modes = {name: module.training for name, module in model.named_modules()}
    for part in ("image_encoder", "text_encoder", "proposal_selector", "query_embeddings"):
        inside = [mode for name, mode in modes.items() if name.startswith(f"grounder.{part}")]
        assert inside
        assert not any(inside), part
    assert modes["mask_head"]
    assert modes["pixel_decoder"]
    assert modes["grounder.fusion_encoder"]
    output = model.forward_with_auxiliary(clips.float(), tokens)
    (output.pred_masks.mean() + output.pred_logits.mean() + output.pred_boxes.mean()).backward()
    for name, parameter in model.named_parameters():
        if name not in trainable:
            assert parameter.grad is None, name
    moved = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert {name.split(".")[0] for name in moved} == {
        "grounder",
        "temporal_enhancer",
        "pixel_decoder",
        "mask_head",
    }
    assert any(".lora_B." in name for name in moved)


def test_training_the_temporal_part_alone_freezes_the_rest(make_untouched_model: Build) -> None:
    model = make_untouched_model()
    policy = AdaptationPolicy("temporal")
    policy.apply(model)
    policy.set_frozen_parts_to_eval(model.train())
    assert not any(module.training for module in model.grounder.modules())
    assert not any(module.training for module in model.mask_head.modules())
    assert model.temporal_enhancer is not None
    assert model.temporal_enhancer.training


def test_training_everything_leaves_everything_in_training(make_untouched_model: Build) -> None:
    model = make_untouched_model()
    policy = AdaptationPolicy("all")
    policy.apply(model)
    policy.set_frozen_parts_to_eval(model.train())
    assert all(module.training for module in model.modules())


def test_decoders_policy_keeps_what_words_mean(make_model: Callable[..., ReferDINO]) -> None:
    model = make_model()
    AdaptationPolicy("decoders").apply(model)
    frozen = ("image_encoder", "text_encoder", "fusion_encoder", "proposal_selector.norm")
    for name, parameter in model.named_parameters():
        kept = name.startswith(tuple(f"grounder.{part}." for part in frozen))
        kept |= name.startswith(("grounder.proposal_selector.proj", "grounder.query_embeddings."))
        assert parameter.requires_grad != kept, name


def test_fusion_and_decoders_policy_keeps_both_encoders(
    make_model: Callable[..., ReferDINO],
) -> None:
    model = make_model()
    AdaptationPolicy("fusion_and_decoders").apply(model)
    for name, parameter in model.named_parameters():
        kept = name.startswith(("grounder.image_encoder.", "grounder.text_encoder."))
        assert parameter.requires_grad != kept, name
