"""How much memory a training step needs."""

import multiprocessing
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

from rvos.benchmarks.training_step import TrainingRequest, TrainingStep
from rvos.models.referdino import ReferDINO

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
# What Linux takes for "forget the greatest resident size so far".
_FORGET_PEAK = "5"


@dataclass(frozen=True)
class StepMemory:
    """Memory of one step.

    Attributes:
        kept: Bytes that autograd keeps for the backward pass.
        peak: Greatest bytes in use during the step, less those before it; None where the system
            does not tell.
        before: Bytes in use before, above all the model; None likewise.
    """

    kept: int
    peak: int | None
    before: int | None


def measure_memory(
    make_model: Callable[[], ReferDINO], request: TrainingRequest, way: str, device: torch.device
) -> StepMemory:
    """Take one step and look at its memory; on a processor in a process of its own.

    Args:
        make_model: A function that can be pickled.
        request: What to measure.
        way: One of the request's.
        device: Where to train.

    Returns:
        The memory.
    """
    if device.type != "cpu":
        return _step_memory(make_model, request, way, device, 0)
    # A fresh process, because freed memory may stay with the one that freed it.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        threads = torch.get_num_threads()
        return pool.submit(_step_memory, make_model, request, way, device, threads).result()


def _step_memory(
    make_model: Callable[[], ReferDINO],
    request: TrainingRequest,
    way: str,
    device: torch.device,
    num_threads: int,
) -> StepMemory:
    if num_threads:
        torch.set_num_threads(num_threads)
    step = TrainingStep(make_model().to(device), request)
    before = _start(device)
    kept: list[int] = []
    step.take(way, kept)
    peak = _peak(device)
    if before is None or peak is None:
        return StepMemory(kept[0], None, None)
    return StepMemory(kept[0], peak - before, before)


def _start(device: torch.device) -> int | None:
    """Forget the peak so far; the bytes in use."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return torch.cuda.memory_allocated(device)
    try:
        _CLEAR.write_text(_FORGET_PEAK, encoding="ascii")
    except OSError:
        return None
    return _field("VmRSS")


def _peak(device: torch.device) -> int | None:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return _field("VmHWM")


def _field(name: str) -> int | None:
    try:
        found = re.search(
            rf"^{name}:\s+(\d+) kB", _STATUS.read_text(encoding="ascii"), re.MULTILINE
        )
    except OSError:
        return None
    return None if found is None else 1024 * int(found[1])
