"""Two methods on the same videos: differences with their intervals, and row by row."""

import math
from dataclasses import dataclass
from functools import cached_property

from rvos.evaluation.bootstrap import Difference, paired_difference, set_differences
from rvos.evaluation.scorer import Scores


@dataclass(frozen=True)
class Comparison:
    """What two methods reached on one split of one benchmark.

    Attributes:
        first: Scores of one method.
        other: Those of the other.
    """

    first: Scores
    other: Scores

    @cached_property
    def differences(self) -> dict[str, Difference]:
        """Name to first minus other, for every measure that applies to both."""
        first, other = self.first, self.other
        differences = {
            measure.name: paired_difference(first.results, other.results, measure)
            for measure in first.protocol.measures
            if measure.name in first.values and measure.name in other.values
        }
        if first.set_measures is None or other.set_measures is None:
            return differences
        return differences | set_differences(first.set_measures, other.set_measures)

    @property
    def column(self) -> str:
        """The column that rows are compared by: that of the protocol's first measure."""
        return self.first.protocol.measures[0].column

    @property
    def row_values(self) -> list[tuple[float, float]]:
        """Both values of every row of the first method; NaN where one does not apply."""
        theirs = {row.key: row.values.get(self.column, math.nan) for row in self.other.rows}
        return [
            (row.values.get(self.column, math.nan), theirs.get(row.key, math.nan))
            for row in self.first.rows
        ]
