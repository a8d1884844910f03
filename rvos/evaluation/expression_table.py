"""Scores per expression kind as an aligned text table."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rvos.metrics import JAndFResult, JAndFScores

ALL_KINDS = "all"


@dataclass
class ExpressionRow:
    """One line of the table.

    Attributes:
        kind: Expression kind, or ``all``.
        num_expressions: Expressions behind the scores.
        scores: Column title to score in [0, 1]; NaN is shown as a dash.
    """

    kind: str
    num_expressions: int
    scores: dict[str, float] = field(default_factory=dict)


def score_rows(
    result: JAndFResult, baselines: Mapping[str, JAndFResult] | None = None
) -> list[ExpressionRow]:
    """List J, F and J&F of every kind, then of all expressions.

    Args:
        result: Scores of the model.
        baselines: Column title to the scores that stand beside it, of which J&F is shown.

    Returns:
        One row per kind in alphabetical order, the row of all expressions last.

    Example:
        >>> import torch
        >>> from rvos.metrics import JAndF
        >>> target = torch.eye(8, dtype=torch.bool)[None]
        >>> metric, shuffled = JAndF(), JAndF()
        >>> metric.update([target], [target], ["clip/0"], ["appearance"])
        >>> shuffled.update([~target], [target], ["clip/0"], ["appearance"])
        >>> print(format_table(score_rows(metric.compute(), {"shuffled": shuffled.compute()})))
        kind        expressions      J      F    J&F  shuffled
        ------------------------------------------------------
        appearance            1  100.0  100.0  100.0      50.0
        ------------------------------------------------------
        all                   1  100.0  100.0  100.0      50.0
    """
    rows = []
    for kind, scores in _kinds_then_all(result).items():
        columns = {"J": scores.j.item(), "F": scores.f.item(), "J&F": scores.j_and_f.item()}
        for title, baseline in (baselines or {}).items():
            columns[title] = _j_and_f(baseline, kind)
        rows.append(ExpressionRow(kind, scores.num_expressions, columns))
    return rows


def comparison_rows(results: Mapping[str, JAndFResult]) -> list[ExpressionRow]:
    """List J, F and J&F of several results side by side, as before and after training.

    Args:
        results: Name to scores; the columns are called ``J <name>`` and so on.

    Returns:
        One row per kind that any result has, in alphabetical order, the row of all expressions
        last. Expressions are counted in the last result that has the kind.

    Example:
        >>> import torch
        >>> from rvos.metrics import JAndFScores
        >>> before, after = (
        ...     JAndFResult(JAndFScores(torch.tensor(j).double(), torch.tensor(0.5).double(), 9))
        ...     for j in (0.25, 0.75)
        ... )
        >>> print(format_table(comparison_rows({"before": before, "after": after})))
        kind  expressions  J before  F before  J&F before  J after  F after  J&F after
        ------------------------------------------------------------------------------
        all             9      25.0      50.0        37.5     75.0     50.0       62.5
    """
    tables = {name: _kinds_then_all(result) for name, result in results.items()}
    kinds = sorted({kind for table in tables.values() for kind in table} - {ALL_KINDS})
    rows = []
    for kind in [*kinds, ALL_KINDS]:
        row = ExpressionRow(kind, 0)
        for name, table in tables.items():
            scores = table.get(kind)
            if scores is not None:
                row.num_expressions = scores.num_expressions
            row.scores[f"J {name}"] = scores.j.item() if scores else math.nan
            row.scores[f"F {name}"] = scores.f.item() if scores else math.nan
            row.scores[f"J&F {name}"] = scores.j_and_f.item() if scores else math.nan
        rows.append(row)
    return rows


def format_table(rows: Sequence[ExpressionRow]) -> str:
    """Lay rows out in aligned columns, scores in percent.

    A rule divides the head from the kinds and the kinds from the row of all expressions.

    Args:
        rows: Lines in order. A score that a row lacks is shown as a dash.

    Returns:
        Lines of equal width, without a final line break.

    Example:
        >>> print(format_table([ExpressionRow("motion", 12, {"J&F": 0.5})]))
        kind    expressions   J&F
        -------------------------
        motion           12  50.0
    """
    titles = list(dict.fromkeys(title for row in rows for title in row.scores))
    cells = [["kind", "expressions", *titles]]
    for row in rows:
        percents = [_percent(row.scores.get(title, math.nan)) for title in titles]
        cells.append([row.kind, str(row.num_expressions), *percents])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    lines = []
    for index, (kind, *numbers) in enumerate(cells):
        if index == 1 or (index > 1 and kind == ALL_KINDS):
            lines.append(rule)
        aligned = [number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)]
        lines.append("  ".join([kind.ljust(widths[0]), *aligned]))
    return "\n".join(lines)


def _kinds_then_all(result: JAndFResult) -> dict[str, JAndFScores]:
    """Put the overall scores below those of the kinds."""
    return {**dict(sorted(result.per_kind.items())), ALL_KINDS: result.overall}


def _j_and_f(result: JAndFResult, kind: str) -> float:
    """Look up J&F of a kind, NaN where the result has none."""
    scores = _kinds_then_all(result).get(kind)
    return math.nan if scores is None else scores.j_and_f.item()


def _percent(score: float) -> str:
    """Write a score in percent with one decimal."""
    return "-" if math.isnan(score) else f"{100 * score:.1f}"
