"""Memory of a step is that of the step alone."""

import functools
from pathlib import Path

import pytest
import torch

import rvos
from rvos.benchmarks import training_memory
from rvos.benchmarks.training_memory import measure_memory
from rvos.benchmarks.training_step import LEVERS_OFF, RVOS, TrainingRequest

CPU = torch.device("cpu")


@pytest.mark.slow
def test_memory_of_a_fresh_process(nano_weights: Path) -> None:
    make_model = functools.partial(rvos.load_model, nano_weights)
    request = TrainingRequest(1, 4, 96, 128)
    found = {way: measure_memory(make_model, request, way, CPU) for way in (RVOS, LEVERS_OFF)}
    assert found[RVOS].kept < found[LEVERS_OFF].kept
    for memory in found.values():
        if memory.peak is not None:
            assert memory.peak > 0.5 * memory.kept
            assert memory.before is not None


def test_systems_that_do_not_tell(
    nano_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_memory, "_STATUS", tmp_path / "status")
    monkeypatch.setattr(training_memory, "_CLEAR", tmp_path / "missing" / "clear_refs")
    make_model = functools.partial(rvos.load_model, nano_weights)
    memory = training_memory._step_memory(
        make_model, TrainingRequest(1, 2, 48, 64), RVOS, CPU, torch.get_num_threads()
    )
    assert memory.kept > 0
    assert memory.peak is None
    assert memory.before is None
