"""What a report says of the machine."""

from pathlib import Path

import pytest
import torch

from rvos.benchmarks import environment
from rvos.benchmarks.environment import describe_environment, environment_line, name_processor

CPU = torch.device("cpu")


def test_processor_and_its_matrix_tiles_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("model name\t: Some CPU\nflags\t: fpu amx_bf16\n\nmodel name\t: Other\n")
    monkeypatch.setattr(environment, "_CPU_INFO", info)
    found = describe_environment(CPU)
    assert found.cpu == "Some CPU"
    assert found.matrix_tiles
    assert "Some CPU" in found.device
    assert "with AMX" in environment_line(found)


def test_a_system_that_tells_nothing_gets_the_architecture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "_CPU_INFO", tmp_path / "missing")
    assert name_processor() != ""
    assert not describe_environment(CPU).matrix_tiles
