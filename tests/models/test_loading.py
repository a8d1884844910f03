"""Models from every kind of source, and every wrong source with its remedy."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import rvos
from rvos.checkpoints.files import CheckpointError, write_folder
from rvos.datasets.moving_shapes.tokenizer import write_tokenizer
from rvos.layers.described import describe
from rvos.models.adaptation import AdaptationPolicy
from rvos.models.grounding_dino import ExpressionTokenizer
from rvos.models.grounding_dino.prompt import ExpressionError
from rvos.models.loading import load_model
from rvos.models.referdino import FPNPixelDecoder, ReferDINO
from rvos.structures import TextTokens
from rvos.structures.errors import RvosError

Build = Callable[..., ReferDINO]
Released = Callable[..., dict[str, Tensor]]


@pytest.fixture
def with_tokenizer(make_untouched_model: Build, tmp_path: Path) -> ReferDINO:
    architecture: dict[str, Any] = {
        "text_config": {
            "model_type": "bert",
            "vocab_size": 2048,
            "hidden_size": 64,
            "num_hidden_layers": 1,
            "num_attention_heads": 4,
            "intermediate_size": 32,
        }
    }
    write_tokenizer(tmp_path / "tokenizer")
    model = make_untouched_model(grounder=architecture)
    model.tokenizer = ExpressionTokenizer(tmp_path / "tokenizer", model.tokenizer.max_tokens)
    return model.eval()


@torch.no_grad()
def test_round_trip_with_tokenizer(
    with_tokenizer: ReferDINO, clips: Tensor, tmp_path: Path
) -> None:
    with_tokenizer.save_pretrained(tmp_path / "saved")
    loaded = rvos.load_model(tmp_path / "saved")
    assert Path(loaded.tokenizer.source) == tmp_path / "saved"
    assert loaded.tokenizer.max_tokens == 16
    assert describe(loaded) == describe(with_tokenizer)
    expressions = ["the red disc", "a square that moves left"]
    first, second = loaded(clips.float(), expressions), with_tokenizer(clips.float(), expressions)
    assert torch.equal(first.pred_masks, second.pred_masks)


@torch.no_grad()
def test_adapted_model_is_saved_merged(
    make_untouched_model: Build,
    randomise_parameters: Callable[..., Any],
    clips: Tensor,
    tokens: TextTokens,
    tmp_path: Path,
) -> None:
    model = make_untouched_model()
    plain = set(model.state_dict())
    AdaptationPolicy(rank=4).apply(model)
    randomise_parameters(model, 0.1)
    model.eval().save_pretrained(tmp_path)
    loaded = load_model(tmp_path)
    assert set(loaded.state_dict()) == plain
    torch.testing.assert_close(
        loaded(clips.float(), tokens).pred_logits,
        model(clips.float(), tokens).pred_logits,
        rtol=1e-3,
        atol=1e-3,
    )


def test_hub_gets_what_load_model_reads(
    with_tokenizer: ReferDINO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: dict[str, Any] = {}

    def create(repository: str, **options: Any) -> None:
        calls["created"] = (repository, options)

    def upload(repo_id: str, folder_path: str, **options: Any) -> str:
        shutil.copytree(folder_path, tmp_path / "uploaded")
        calls["uploaded"] = (repo_id, options)
        return "address"

    monkeypatch.setattr("rvos.models.referdino.model.create_repo", create)
    monkeypatch.setattr("rvos.models.referdino.model.upload_folder", upload)
    assert with_tokenizer.push_to_hub("user/name", commit_message="first") == "address"
    assert calls["created"] == ("user/name", {"exist_ok": True})
    assert calls["uploaded"] == ("user/name", {"commit_message": "first"})
    loaded = load_model(tmp_path / "uploaded")
    assert loaded.tokenizer.available
    expected = with_tokenizer.state_dict()
    assert all(torch.equal(v, expected[n]) for n, v in loaded.state_dict().items())


def test_device_and_dtype(make_untouched_model: Build, tmp_path: Path) -> None:
    make_untouched_model().save_pretrained(tmp_path, dtype=torch.float16)
    assert {value.dtype for value in load_model(tmp_path).parameters()} == {torch.float32}
    double = load_model(str(tmp_path), device=torch.device("cpu"), dtype=torch.float64)
    assert {value.dtype for value in double.parameters()} == {torch.float64}
    assert not double.training


def test_named_tokenizer_replaces_the_carried_one(
    with_tokenizer: ReferDINO, tmp_path: Path
) -> None:
    with_tokenizer.save_pretrained(tmp_path / "saved")
    loaded = load_model(tmp_path / "saved", tokenizer=tmp_path / "tokenizer")
    assert loaded.tokenizer.source == tmp_path / "tokenizer"
    assert loaded.tokenizer.max_tokens == 16


def test_tokenizer_is_asked_for_only_with_text(
    make_untouched_model: Build, clips: Tensor, tokens: TextTokens, tmp_path: Path
) -> None:
    make_untouched_model().save_pretrained(tmp_path)
    loaded = load_model(tmp_path)
    with torch.no_grad():
        loaded(clips.float(), tokens)
    with pytest.raises(ExpressionError, match="pass its folder as tokenizer"):
        loaded(clips.float(), ["a", "b"])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("missing.pth", "do not exist; check the path"),
        ("nobody/nothing/missing.pth", "do not exist; check the path or hub id"),
        ("no/where", "neither .*nor reachable on the hub"),
        ("tiny_typo", "neither .*nor reachable on the hub"),
    ],
)
def test_missing_sources_are_named(source: str, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        load_model(source)


def test_file_that_is_no_weights(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no weights")
    with pytest.raises(CheckpointError, match=r"notes\.txt is no weights file"):
        load_model(tmp_path / "notes.txt")


def test_empty_folder_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"lacks config\.json; a model folder"):
        load_model(tmp_path)


def test_foreign_class_in_a_config_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, {"model": {"class_path": "os.system", "init_args": {}}}, {})
    with pytest.raises(RvosError, match="only classes of rvos"):
        load_model(tmp_path)


@pytest.mark.parametrize("config", [{}, {"model": describe(FPNPixelDecoder(16, 16))}])
def test_folder_of_another_model_is_refused(tmp_path: Path, config: dict[str, Any]) -> None:
    write_folder(tmp_path, config, {})
    with pytest.raises(CheckpointError, match="does not hold a ReferDINO"):
        load_model(tmp_path)


def test_weights_that_do_not_fit_are_refused(make_untouched_model: Build, tmp_path: Path) -> None:
    model = make_untouched_model()
    state = model.state_dict()
    state["extra"] = torch.zeros(1)
    write_folder(tmp_path, {"model": describe(model)}, state)
    with pytest.raises(CheckpointError, match=r"do not fit the model: unexpected: extra$"):
        load_model(tmp_path)


def test_other_pickles_are_refused(tmp_path: Path) -> None:
    torch.save({"model_state_dict": {"a": torch.zeros(1)}}, tmp_path / "other.pth")
    with pytest.raises(
        CheckpointError, match="is neither a released ReferDINO nor a GroundingDINO"
    ):
        load_model(tmp_path / "other.pth")
    torch.save({"a": 3}, tmp_path / "numbers.pth")
    with pytest.raises(
        CheckpointError, match="is neither a released ReferDINO nor a GroundingDINO"
    ):
        load_model(tmp_path / "numbers.pth")


@pytest.fixture
def short_clip() -> tuple[Tensor, TextTokens]:
    ids = torch.tensor([[101, 7, 8, 1012, 102]])
    return torch.randn(1, 2, 3, 48, 64), TextTokens(ids, torch.ones_like(ids))


def adapters_in(model: ReferDINO) -> set[str]:
    names = (name for name, _ in model.named_parameters() if ".lora_A." in name)
    return {name.split(".")[1] for name in names}


@torch.no_grad()
@pytest.mark.parametrize(
    ("blocks", "adapted", "parts"),
    [
        (3, ("encoder", "decoder"), {"fusion_encoder", "query_decoder"}),
        (1, ("decoder",), {"query_decoder"}),
        (3, (), set()),
    ],
)
def test_released_file_is_recognised_and_adapters_count(
    make_released: Released,
    short_clip: tuple[Tensor, TextTokens],
    tmp_path: Path,
    blocks: int,
    adapted: tuple[str, ...],
    parts: set[str],
) -> None:
    weights = make_released(num_temporal_blocks=blocks, adapted=adapted)
    torch.save({"model_state_dict": weights, "epoch": 3}, tmp_path / "x.pth")
    merged = load_model(tmp_path / "x.pth")
    kept = load_model(tmp_path / "x.pth", keep_adapters=True)
    assert not merged.training
    assert not kept.training
    assert adapters_in(merged) == set()
    assert adapters_in(kept) == parts
    enhancer = merged.temporal_enhancer
    assert enhancer is not None
    assert enhancer.temporal_decoder is not None
    assert len(enhancer.temporal_decoder.blocks) == blocks
    first, second = merged(*short_clip), kept(*short_clip)
    torch.testing.assert_close(first.pred_masks, second.pred_masks, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(first.pred_logits, second.pred_logits, rtol=1e-4, atol=1e-3)
    # Were they ignored, the base weights alone would give the same.
    plain = {name: value for name, value in weights.items() if "lora" not in name}
    torch.save(plain, tmp_path / "plain.pth")
    ignored = load_model(tmp_path / "plain.pth")(*short_clip)
    assert torch.allclose(ignored.pred_logits, first.pred_logits, atol=1e-3) is not bool(parts)


def test_adapters_are_merged_with_the_released_scaling(
    make_released: Released, tmp_path: Path
) -> None:
    weights = make_released(rank=8)
    torch.save({"model_state_dict": weights}, tmp_path / "x.pth")
    layer = "transformer.encoder.layers.0.linear1"
    up, down = weights[f"{layer}.lora_B"], weights[f"{layer}.lora_A"]
    expected = weights[f"{layer}.weight"] + up @ down / 8
    name = "fusion_encoder.layers.0.deformable_layer.fc1.weight"
    actual = load_model(tmp_path / "x.pth").grounder.get_parameter(name)
    assert not torch.equal(actual, weights[f"{layer}.weight"])
    torch.testing.assert_close(actual.detach(), expected)


def test_kept_adapters_go_on_training(make_released: Released, tmp_path: Path) -> None:
    torch.save({"model_state_dict": make_released(adapted=("decoder",))}, tmp_path / "x.pth")
    model = load_model(tmp_path / "x.pth", keep_adapters=True)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    trainable = AdaptationPolicy(rank=4).apply(model)
    assert adapters_in(model) == {"fusion_encoder", "query_decoder"}
    after = model.state_dict()
    decoder = [name for name in before if ".lora_" in name]
    assert decoder
    assert all(name in trainable and torch.equal(after[name], before[name]) for name in decoder)


def test_released_file_without_its_temporal_part_is_refused(
    make_released: Released, tmp_path: Path
) -> None:
    weights = make_released()
    partial = {name: value for name, value in weights.items() if "temporal" not in name}
    torch.save({"model_state_dict": partial}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"missing: temporal_enhancer\..* and \d+ more"):
        load_model(tmp_path / "x.pth")


def test_half_of_an_adapter_is_refused(make_released: Released, tmp_path: Path) -> None:
    weights = make_released()
    del weights["transformer.decoder.layers.1.linear2.lora_B"]
    torch.save({"model_state_dict": weights}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"adapter of .*layers\.1\.fc2 is incomplete"):
        load_model(tmp_path / "x.pth")


def test_grounding_dino_is_no_model_for_inference(make_released: Released, tmp_path: Path) -> None:
    weights = make_released("groundingdino_swint_ogc", adapted=())
    torch.save({"model": weights}, tmp_path / "gdino.pth")
    with pytest.raises(CheckpointError, match="holds a GroundingDINO, which makes no masks"):
        load_model(tmp_path / "gdino.pth")


def test_loaded_weights_do_not_hang_on_the_file(
    make_untouched_model: Build, tmp_path: Path
) -> None:
    make_untouched_model().save_pretrained(tmp_path)
    loaded = load_model(tmp_path)
    before = {name: value.clone() for name, value in loaded.state_dict().items()}
    with (tmp_path / "model.safetensors").open("r+b") as file:
        file.seek(20_000)
        file.write(b"\xff" * 50_000)
    assert all(torch.equal(value, before[name]) for name, value in loaded.state_dict().items())


# The peak of a process over what it holds when all libraries are imported.
MEASURE = """
import sys
from pathlib import Path
import torch
from rvos.models.loading import load_model
from rvos.models.referdino import ReferDINO
import transformers.models.bert.modeling_bert, transformers.models.swin.modeling_swin

def memory(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

before = memory("VmRSS")
kind, path = sys.argv[1:]
if kind == "grounding_dino":
    model = ReferDINO.from_grounding_dino(path)
else:
    model = load_model(path, keep_adapters=kind == "kept")
print(memory("VmHWM") - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["merged", "kept", "folder", "half", "grounding_dino"])
def test_loading_needs_less_than_two_and_a_half_files(
    make_full_size: Callable[[str], dict[str, Tensor]], tmp_path: Path, kind: str
) -> None:
    name = "groundingdino_swint_ogc" if kind == "grounding_dino" else "referdino_mevis_swint"
    path = tmp_path / "x.pth"
    torch.save({"model": make_full_size(name)}, path)
    size = path.stat().st_size
    if kind in {"folder", "half"}:
        dtype = torch.float16 if kind == "half" else None
        load_model(path).save_pretrained(tmp_path / "folder", dtype)
        path = tmp_path / "folder"
        size = (path / "model.safetensors").stat().st_size
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, kind, str(path)], capture_output=True, text=True, check=True
    )
    factor = int(done.stdout) / size
    sys.stdout.write(f"{kind}: {factor:.2f} times {size / 1e6:.0f} MB\n")
    assert size > 300e6
    # Less than the weights themselves would be a mistake of the measurement.
    assert 0.9 < factor < 2.5
