"""Scoring of predictions and how scores are shown."""

from rvos.evaluation.expression_table import (
    ExpressionRow,
    comparison_rows,
    format_table,
    score_rows,
)

__all__ = ["ExpressionRow", "comparison_rows", "format_table", "score_rows"]
