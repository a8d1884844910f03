"""The fused kernels: run in Triton's interpreter, compiled for GPUs, and run where there is one."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from rvos.ops.deformable_sampling import sample_deformable
from rvos.ops.triton_sampling import sample_with_triton, triton_available

REPOSITORY = Path(__file__).parents[2]
# Single and double precision, relative to sums of about 10.
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None,
    reason="Triton is not installed: pip install 'rvos[triton]'",
)


def run(script: str, folder: Path, **variables: str) -> dict[str, Any]:
    """Run a script beside this file and read what it writes."""
    path = folder / "results.json"
    environment = {**os.environ, "TRITON_CACHE_DIR": str(folder), "OMP_NUM_THREADS": "1"}
    # The interpreter is chosen when Triton is imported, by the script alone.
    environment.pop("TRITON_INTERPRET", None)
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(script)), str(path)],
        env=environment | variables,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the kernels give in the interpreter."""
    return run("triton_worker.py", tmp_path_factory.mktemp("triton"), TRITON_INTERPRET="1")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", ["levels", "channels"])
@pytest.mark.parametrize("name", ["sums", "value", "locations", "weights"])
def test_sums_and_gradients_are_those_of_grid_sample(
    results: dict[str, Any], dtype: str, case: str, name: str
) -> None:
    found = results[f"{case} {dtype}"]
    assert found[name] < TOLERANCE[dtype]
    assert found["size"] > 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_borders_and_places_far_outside(results: dict[str, Any], dtype: str) -> None:
    found = results[f"edges {dtype}"]
    assert found["sums"] < TOLERANCE[dtype]
    assert found["far"] == 0


def test_gradients_are_those_of_finite_differences(results: dict[str, Any]) -> None:
    assert results["gradcheck"] is True


def test_half_precision_is_rounded_once(results: dict[str, Any]) -> None:
    assert results["half"]["sums"] <= 2**-8 * results["half"]["size"]


def test_memory_order_does_not_matter_and_nothing_is_nothing(results: dict[str, Any]) -> None:
    assert results["strided"] < TOLERANCE["float64"]
    assert results["empty"] == [1, 0, 8]


@pytest.mark.slow
def test_kernels_compile_for_gpus(tmp_path: Path) -> None:
    sizes = run("triton_compilation.py", tmp_path)
    assert len(sizes) == 8
    assert all(size > 0 for size in sizes.values())


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_gpu_computes_what_plain_torch_does(dtype: torch.dtype) -> None:
    device = torch.device("cuda")
    assert triton_available(device)
    shapes = [(45, 80), (23, 40), (12, 20), (6, 10)]
    generator = torch.Generator(device).manual_seed(0)
    options: dict[str, Any] = {"dtype": dtype, "device": device, "generator": generator}
    num_tokens = sum(height * width for height, width in shapes)
    inputs = (
        torch.randn(2, num_tokens, 8, 32, **options),
        torch.rand(2, 900, 8, 4, 4, 2, **options) * 1.4 - 0.2,
        torch.rand(2, 900, 8, 4, 4, **options),
    )
    value, locations, weights = (each.requires_grad_() for each in inputs)
    expected = sample_deformable(value, shapes, locations, weights)
    found = sample_with_triton(value, shapes, locations, weights)
    seed = torch.randn_like(expected)
    tolerance: dict[str, float] = {"rtol": 1e-4, "atol": 1e-4}
    torch.testing.assert_close(found, expected, **tolerance)
    gradients = (torch.autograd.grad(each, inputs, seed) for each in (found, expected))
    for one, other in zip(*gradients, strict=True):
        scale = other.abs().max().item()
        torch.testing.assert_close(one / scale, other / scale, **tolerance)
