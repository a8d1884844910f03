"""Converting downloads into what the data sets read, without touching the downloads."""

from rvos.datasets.preparation.archives import ArchiveLimits
from rvos.datasets.preparation.outputs import PreparationError
from rvos.datasets.preparation.prepare import (
    BENCHMARKS,
    READ_AS_RELEASED,
    Benchmark,
    Preparation,
    PreparationOptions,
    prepare_benchmark,
)

__all__ = [
    "BENCHMARKS",
    "READ_AS_RELEASED",
    "ArchiveLimits",
    "Benchmark",
    "Preparation",
    "PreparationError",
    "PreparationOptions",
    "prepare_benchmark",
]
