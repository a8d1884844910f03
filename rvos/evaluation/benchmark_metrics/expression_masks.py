"""J and F of expressions: Ref-YouTube-VOS, MeViS, MovingShapes and one's own videos."""

from collections.abc import Sequence

from rvos.evaluation.benchmark_metrics.base import BenchmarkMetrics, BenchmarkScores
from rvos.evaluation.expression_table import format_table, score_rows
from rvos.evaluation.score_summary import percent
from rvos.metrics import JAndF, NoTargetAccuracy
from rvos.structures import Annotation
from rvos.structures.predictions import VideoPrediction


class ExpressionMaskMetrics(BenchmarkMetrics):
    """Region similarity, contour accuracy and their mean, over all expressions and per kind.

    Where some expressions refer to nothing, N-acc and T-acc besides.
    """

    def __init__(self) -> None:
        super().__init__()
        self.j_and_f = JAndF()
        self.no_target = NoTargetAccuracy()

    def update(
        self,
        predictions: Sequence[VideoPrediction],
        annotations: Sequence[Annotation],
        kinds: Sequence[str],
    ) -> None:
        """Score the chosen masks of a batch.

        Args:
            predictions: One per expression.
            annotations: What is right, one per expression.
            kinds: Kinds of the expressions, ``""`` where unknown.
        """
        names = [prediction.sample_id for prediction in predictions]
        predicted = [prediction.masks for prediction in predictions]
        targets = [annotation.masks for annotation in annotations]
        self.j_and_f.update(predicted, targets, names, kinds)
        self.no_target.update(predicted, [each.has_target for each in annotations], names)

    def compute(self) -> BenchmarkScores:
        """Gather all processes.

        Returns:
            J, F and J&F, then those of each kind.
        """
        result, decisions = self.j_and_f.compute(), self.no_target.compute().as_log_dict()
        values = {
            name: value.item() for name, value in {**result.as_log_dict(), **decisions}.items()
        }
        lines = [
            format_table(score_rows(result)),
            *(f"{name} {percent(values[name])} (unverified)" for name in decisions),
        ]
        return BenchmarkScores("J&F", values, "\n".join(lines))
