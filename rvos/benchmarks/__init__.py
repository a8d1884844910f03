"""How fast things are on this machine."""

from rvos.benchmarks.stage_timer import StageTimer
from rvos.benchmarks.throughput import ThroughputReport, ThroughputRequest, measure_throughput

__all__ = ["StageTimer", "ThroughputReport", "ThroughputRequest", "measure_throughput"]
