"""On what and with what something was measured: figures without it mean nothing."""

import datetime
import os
import platform
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers

_CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Environment:
    """Hardware, versions and date; every JSON report holds one.

    Attributes:
        device: Accelerator's name, or that of the processor.
        cpu: Name of the processor's model.
        num_cores: Processors that the system shows.
        num_threads: That torch computes with.
        capability: Widest vector instructions that torch uses, for example AVX512.
        matrix_tiles: Whether the processor has tiles for bfloat16 products (AMX).
        torch: Version, with the build.
        transformers: Version.
        python: Version.
        date: Of the measurement, year first.
    """

    device: str
    cpu: str
    num_cores: int
    num_threads: int
    capability: str
    matrix_tiles: bool
    torch: str
    transformers: str
    python: str
    date: str


def describe_environment(device: torch.device) -> Environment:
    """Look at the machine.

    Args:
        device: What computes.

    Returns:
        What a table of figures has to name.

    >>> describe_environment(torch.device("cpu")).num_threads == torch.get_num_threads()
    True
    """
    return Environment(
        device=describe_device(device),
        cpu=name_processor(),
        num_cores=os.cpu_count() or 1,
        num_threads=torch.get_num_threads(),
        capability=torch.backends.cpu.get_cpu_capability(),
        matrix_tiles="amx_bf16" in _processor_field("flags").split(),
        torch=torch.__version__,
        transformers=transformers.__version__,
        python=platform.python_version(),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )


def describe_device(device: torch.device) -> str:
    """Name the hardware.

    Args:
        device: A device.

    Returns:
        The processor's model and architecture, or the accelerator's name.
    """
    # Not every kind of device tells its name.
    name_of = getattr(torch.get_device_module(device), "get_device_name", None)
    if name_of is not None:
        return str(name_of(device))
    if device.type != "cpu":
        return device.type
    return f"cpu ({name_processor()}, {platform.machine()})"


def name_processor() -> str:
    """Name the processor's model.

    Returns:
        As the system tells it; its architecture where it does not.
    """
    return _processor_field("model name") or platform.processor() or platform.machine()


def environment_line(environment: Environment) -> str:
    """Say it in one line, as it belongs above a table.

    Args:
        environment: The machine.

    Returns:
        The line.

    >>> line = environment_line(describe_environment(torch.device("cpu")))
    >>> f"torch {torch.__version__}" in line
    True
    """
    threads = f"{environment.num_threads} of {environment.num_cores} cores"
    tiles = " with AMX" if environment.matrix_tiles else ""
    return (
        f"{environment.device}, {threads}, {environment.capability}{tiles}, "
        f"torch {environment.torch}, transformers {environment.transformers}, "
        f"Python {environment.python}, {environment.date}"
    )


def _processor_field(name: str) -> str:
    """One field of the first processor, empty where the system tells none."""
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
