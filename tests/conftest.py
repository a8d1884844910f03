"""Settings that hold for every test: offline, repeatable, and patient with slow machines."""

import os
from collections.abc import Iterator

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


def pytest_configure() -> None:
    """Keep torch to one thread: the tensors are small, and parallel runs share the cores."""
    torch.set_num_threads(1)
