"""Memory that a training takes."""

import os
from pathlib import Path

import torch

_GIB = 2.0**30


def memory_in_gib(device: torch.device) -> dict[str, float]:
    """Read how much memory is in use; nothing of this waits for the device.

    Args:
        device: Where the model is.

    Returns:
        Name of the scalar to GiB: of the process where the system tells, and on a GPU what tensors
        take, what they took at most and what the allocator held at most since the start.

    >>> all(value > 0 for value in memory_in_gib(torch.device("cpu")).values())
    True
    """
    values = {}
    status = Path("/proc/self/statm")
    if status.exists():
        num_pages = int(status.read_text(encoding="ascii").split()[1])
        values["memory/process_gib"] = num_pages * os.sysconf("SC_PAGE_SIZE") / _GIB
    if device.type == "cuda":
        values["memory/gpu_allocated_gib"] = torch.cuda.memory_allocated(device) / _GIB
        values["memory/gpu_allocated_peak_gib"] = torch.cuda.max_memory_allocated(device) / _GIB
        values["memory/gpu_reserved_peak_gib"] = torch.cuda.max_memory_reserved(device) / _GIB
    return values
