"""Settings that hold for every test: offline, repeatable, and patient with slow machines."""

import os
from collections.abc import Iterator
from pathlib import Path

# Set before anything imports transformers or albumentations.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import hypothesis
import numpy as np
import pytest
import torch

# No deadline: no test may depend on the clock. Derandomised: the same tests everywhere.
hypothesis.settings.register_profile(
    "rvos",
    deadline=None,
    derandomize=True,
    max_examples=25,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("rvos")


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


def pytest_configure() -> None:
    """Keep torch to one thread: the tensors are small, and parallel runs share the cores."""
    torch.set_num_threads(1)
