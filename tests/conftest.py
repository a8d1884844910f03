"""Settings that hold for every test: offline, repeatable, and patient with slow machines."""

import gzip
import importlib.util
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Set before anything imports transformers or albumentations.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import hypothesis
import numpy as np
import pytest
import torch
from PIL import Image

# No deadline: no test may depend on the clock. Derandomised: the same tests everywhere.
hypothesis.settings.register_profile(
    "rvos",
    deadline=None,
    derandomize=True,
    max_examples=25,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
# `make fuzz`: other examples every night, and many of them.
hypothesis.settings.register_profile(
    "nightly",
    deadline=None,
    max_examples=1000,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile(os.environ.get("RVOS_HYPOTHESIS_PROFILE", "rvos"))


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    """Give every test the same random numbers, and undo what it did to the global switches."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002  libraries under test draw from the global generator
    deterministic = torch.are_deterministic_algorithms_enabled()
    yield
    torch.use_deterministic_algorithms(deterministic)
    torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="session")
def nano_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of every part at the smallest size that runs, with the package's tokenizer."""
    # Here, because most tests need none of this and would wait for it.
    import yaml

    from rvos.layers.described import build
    from rvos.tasks.tokenizers import open_tokenizer

    config = Path(__file__).parent / "integration" / "referdino_nano.yaml"
    torch.manual_seed(0)
    model = build(yaml.safe_load(config.read_text(encoding="utf-8")))
    model.tokenizer = open_tokenizer("moving_shapes", model.tokenizer.max_tokens)
    folder = tmp_path_factory.mktemp("nano")
    model.save_pretrained(folder)
    return folder


# Small trees in the layouts of the benchmarks, and the benchmarks whose tree has another name.
BENCHMARKS = Path(__file__).parent / "datasets" / "data"
TREES = {"ref_davis17": "ref_davis", "refcoco": "coco", "refcoco+": "coco", "refcocog": "coco"}


@pytest.fixture
def unpack_benchmark(tmp_path: Path) -> Callable[[str], Path]:
    """Unpack the small tree of a benchmark, or the tree itself, into a folder of the test's own."""

    def unpack(benchmark: str) -> Path:
        name = TREES.get(benchmark, benchmark)
        with zipfile.ZipFile(BENCHMARKS / f"{name}.zip") as archive:
            archive.extractall(tmp_path / "benchmarks")
        return tmp_path / "benchmarks" / name

    return unpack


@pytest.fixture
def a2d_sentences_root(unpack_benchmark: Callable[[str], Path]) -> Path:
    """A2D-Sentences as downloaded."""
    return unpack_benchmark("a2d_sentences")


@pytest.fixture
def jhmdb_sentences_root(unpack_benchmark: Callable[[str], Path]) -> Path:
    """JHMDB-Sentences as downloaded."""
    return unpack_benchmark("jhmdb_sentences")


@pytest.fixture
def ref_davis17_root(unpack_benchmark: Callable[[str], Path]) -> Path:
    """Ref-DAVIS17 as the official converter leaves it."""
    raw = unpack_benchmark("ref_davis")
    root = raw / "expected_converted"
    sources = {"JPEGImages": "JPEGImages", "Annotations": "Annotations_unsupervised"}
    for split in ("train", "valid"):
        path = root / "meta_expressions" / split / "meta_expressions.json"
        for video in json.loads(path.read_text(encoding="utf-8"))["videos"]:
            for kind, source in sources.items():
                target = root / split / kind / video
                target.parent.mkdir(parents=True, exist_ok=True)
                (raw / "DAVIS" / source / "480p" / video).rename(target)
    return root


@pytest.fixture
def refcoco_root(unpack_benchmark: Callable[[str], Path]) -> Path:
    """RefCOCO, RefCOCO+ and RefCOCOg as converted, with random images of the stated sizes."""
    root = unpack_benchmark("coco") / "expected_converted"
    (root / "train2014").mkdir()
    generator = np.random.default_rng(0)
    for number, name in enumerate(("refcoco", "refcoco+", "refcocog")):
        for path in sorted((root / name).glob("*.json")):
            content = json.loads(path.read_text(encoding="utf-8"))
            for image in content["images"]:
                # The sets state different sizes of images that they share.
                image["file_name"] = image["file_name"].replace("_0", f"_{number}", 1)
                pixels = generator.integers(0, 256, (image["height"], image["width"], 3), np.uint8)
                Image.fromarray(pixels).save(root / "train2014" / image["file_name"])
            path.write_text(json.dumps(content), encoding="utf-8")
    return root


# A released model in everything but its size.
SMALL_RELEASED: dict[str, Any] = {
    "d_model": 64,
    "num_queries": 24,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "num_feature_levels": 4,
    "max_text_len": 16,
    "dropout": 0.0,
    "fusion_droppath": 0.0,
    "text_config": {
        "model_type": "bert",
        "vocab_size": 2048,
        "hidden_size": 64,
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
PARITY = Path(__file__).parent / "parity"


@pytest.fixture
def small_released_model(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Make `swin_tiny` a small architecture, so that files of the released format are small."""
    from rvos.checkpoints import recognition
    from rvos.models.grounding_dino import architectures

    monkeypatch.setitem(architectures._ARCHITECTURES, "swin_tiny", SMALL_RELEASED)
    monkeypatch.setitem(recognition.BACKBONES, 16, "swin_tiny")
    return SMALL_RELEASED


@pytest.fixture
def make_released(small_released_model: dict[str, Any]) -> Callable[..., dict[str, torch.Tensor]]:
    """Make small weights under the names of a released file, by the rule of the golden data."""
    from rvos.checkpoints.referdino import rename_released
    from rvos.models.grounding_dino import Grounder
    from rvos.models.referdino import CrossModalTemporalDecoder, ReferDINO
    from rvos.models.referdino.default_parts import default_parts

    spec = importlib.util.spec_from_file_location("weights_rule", PARITY / "weights_rule.py")
    assert spec is not None
    assert spec.loader is not None
    rule = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rule)

    def make(
        name: str = "referdino_mevis_swint",
        num_temporal_blocks: int = 3,
        adapted: tuple[str, ...] = ("encoder", "decoder"),
        rank: int = 4,
        seed: int = 0,
    ) -> dict[str, torch.Tensor]:
        content = json.loads(gzip.decompress((PARITY / "data" / f"{name}.json.gz").read_bytes()))
        with torch.device("meta"):
            grounder = Grounder(small_released_model)
            model = ReferDINO(grounder, **default_parts(grounder))
            enhancer = model.temporal_enhancer
            assert enhancer is not None
            enhancer.temporal_decoder = CrossModalTemporalDecoder(64, num_temporal_blocks)
        own = {key: list(value.shape) for key, value in model.state_dict().items()}
        shapes: dict[str, list[int]] = {}
        for key in content["shapes"]:
            names = list(rename_released({key: torch.empty(3, 1, device="meta")})[0])
            if names and names[0] in own:
                first, *rest = own[names[0]]
                shapes[key] = [len(names) * first, *rest]
        for key in content["shapes"]:
            layer, _, leaf = key.rpartition(".")
            part = "encoder" if ".encoder." in key else "decoder"
            if leaf in {"lora_A", "lora_B"} and part in adapted and f"{layer}.weight" in shapes:
                rows, columns = shapes[f"{layer}.weight"]
                shapes[key] = [rank, columns] if leaf == "lora_A" else [rows, rank]
        weights: dict[str, torch.Tensor] = rule.make_state_dict(shapes, seed)
        return weights

    return make


def pytest_configure() -> None:
    """Keep torch to one thread: the tensors are small, and parallel runs share the cores."""
    torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests of a GPU where there is none, whatever the selection of markers."""
    if torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))
