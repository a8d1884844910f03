"""How fast things are on this machine."""

from rvos.benchmarks.stage_timer import StageTimer
from rvos.benchmarks.throughput import measure_throughput
from rvos.benchmarks.throughput_report import ThroughputReport, ThroughputRequest

__all__ = ["StageTimer", "ThroughputReport", "ThroughputRequest", "measure_throughput"]
