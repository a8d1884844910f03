"""Compiled parts are taken and left; nothing is compiled where nothing can be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from rvos.benchmarks import compilation
from rvos.benchmarks.benchmark_model import random_model
from rvos.benchmarks.compilation import (
    CompiledParts,
    CompilerMissingError,
    check_compiler,
    compilable_parts,
)

CPU = torch.device("cpu")


def test_modules_are_compiled_inside_of_the_block_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda forward, **_: lambda x: 10 * forward(x))
    layer = nn.Identity()
    parts = CompiledParts([layer])
    one = torch.ones(1)
    hooked: list[float] = []
    layer.register_forward_hook(lambda *values: hooked.append(float(values[2])))
    with parts.in_use():
        assert layer(one) == 10
    assert layer(one) == 1
    assert hooked == [10.0, 1.0]
    with pytest.raises(ValueError, match="broken"), parts.in_use():
        raise ValueError("broken")  # noqa: EM101  the message does not matter
    assert layer(one) == 1


def test_float32_on_a_cpu_compiles_the_mask_decoder_alone() -> None:
    model = random_model("tiny")
    assert compilable_parts(model, "float32") == [model.mask_head]


def test_parts_do_not_contain_each_other() -> None:
    parts = compilable_parts(random_model("tiny"), "bfloat16")
    inside = [set(part.modules()) for part in parts]
    assert len(parts) > 2
    assert sum(map(len, inside)) == len(set().union(*inside))


@pytest.mark.parametrize("named", [None, "no-such-compiler"])
def test_a_missing_compiler_is_an_error_with_a_remedy(
    named: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    if named is not None:
        monkeypatch.setenv("CXX", named)
    with pytest.raises(CompilerMissingError, match="install g"):
        check_compiler(CPU)


def test_an_accelerator_needs_triton(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "g++").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(compilation, "_has_triton", lambda: False)
    with pytest.raises(CompilerMissingError, match="install triton"):
        check_compiler(torch.device("meta"))


@pytest.mark.slow
def test_the_command_compiles_and_says_how_long_it_took() -> None:
    # In a process of its own, without the import hooks that check shapes under pytest.
    command = [sys.executable, "-m", "rvos", "benchmark", "throughput", "--compile"]
    small = ["--architecture", "tiny", "--frames", "2", "--size", "48x64", "--repeats", "1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, *small, "--expressions", "1"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "first pass, with compilation" in done.stdout
    assert "compile" in done.stdout.partition("levers: ")[2]
