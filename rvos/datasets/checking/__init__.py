"""Saying what is missing or wrong in a benchmark on disk, before hours are lost."""

from rvos.datasets.checking.check import check_benchmark
from rvos.datasets.checking.report import CheckReport, Finding, SplitRow

__all__ = ["CheckReport", "Finding", "SplitRow", "check_benchmark"]
