"""Metrics as pure functions."""

from rvos.metrics.functional.contour_accuracy import contour_accuracy
from rvos.metrics.functional.intersection_union import intersection_and_union
from rvos.metrics.functional.region_similarity import region_similarity

__all__ = ["contour_accuracy", "intersection_and_union", "region_similarity"]
