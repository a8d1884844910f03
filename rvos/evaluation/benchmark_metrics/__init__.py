"""The benchmarks' own metrics, computed while a model is validated or tested."""

from rvos.evaluation.benchmark_metrics.annotator_maps import AnnotatorMapMetrics
from rvos.evaluation.benchmark_metrics.base import BenchmarkMetrics, BenchmarkScores
from rvos.evaluation.benchmark_metrics.expression_masks import ExpressionMaskMetrics
from rvos.evaluation.benchmark_metrics.referring_images import ReferringImageMetrics
from rvos.evaluation.benchmark_metrics.sentences import SentencesMetrics

__all__ = [
    "AnnotatorMapMetrics",
    "BenchmarkMetrics",
    "BenchmarkScores",
    "ExpressionMaskMetrics",
    "ReferringImageMetrics",
    "SentencesMetrics",
]
