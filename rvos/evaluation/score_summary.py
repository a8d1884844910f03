"""What `rvos evaluate` says on the screen: aligned tables."""

import math
import textwrap
from collections.abc import Sequence

from rvos.evaluation.comparison import Comparison
from rvos.evaluation.protocols import Gap, ScoreTable, ScoringProtocol
from rvos.evaluation.scorer import Scores

_SHOWN_GAPS = 10
_WIDTH = 100
_MARK = "*"
_COLUMN_GAP = "  "


def score_table(scores: Scores) -> str:
    """Lay out every measure with its interval.

    Args:
        scores: The scores.

    Returns:
        The lines; a note below explains what is marked.
    """
    measures = {measure.name: measure for measure in scores.protocol.measures}
    cells = [["measure", "score", "95% interval"]]
    is_marked = False
    for name, value in scores.values.items():
        measure, interval = measures.get(name), scores.intervals[name]
        shown = f"{percent(interval.low)} .. {percent(interval.high)}" if interval else "-"
        mark = _MARK if measure and measure.unverified else ""
        is_marked = is_marked or bool(mark)
        cells.append([name + mark, percent(value), shown])
    lines = align(cells)
    if is_marked:
        lines.append(f"{_MARK} unverified: no official source confirms how it is counted")
    return "\n".join(lines)


def comparison_table(comparison: Comparison, names: tuple[str, str]) -> str:
    """Lay out the differences of two methods on the same videos.

    Args:
        comparison: The methods.
        names: What they are called.

    Returns:
        The lines; below the table, on how many rows either is better.
    """
    cells = [["measure", *names, "difference", "95% interval", "verdict"]]
    for name, found in comparison.differences.items():
        shown, verdict = "-", "-"
        if found.interval is not None:
            shown = f"{signed(found.interval.low)} .. {signed(found.interval.high)}"
            verdict = "clear" if found.is_clear else "open"
        pair = [percent(each.values[name]) for each in (comparison.first, comparison.other)]
        cells.append([name, *pair, signed(found.value), shown, verdict])
    note = "clear: the interval of the difference leaves 0 out; open: it does not"
    return "\n".join([*align(cells), note, _wins(comparison, names)])


def explanation(protocol: type[ScoringProtocol]) -> str:
    """Number the steps of a protocol and mark those that nothing official confirms.

    Args:
        protocol: The protocol.

    Returns:
        The lines.
    """
    lines = [f"{protocol.title}: how it is scored", ""]
    for number, step in enumerate(protocol.steps, start=1):
        status = "NOT CONFIRMED" if step.source is None else f"source: {step.source}"
        lines += textwrap.wrap(
            f"{number:2d}. {step.text}", _WIDTH, subsequent_indent="    ", break_long_words=False
        )
        lines.append(f"    [{status}]")
    lines += [
        "",
        "NOT CONFIRMED: no official source was seen for this detail; it is what this project does.",
    ]
    return "\n".join(lines)


def gap_lines(gaps: Sequence[Gap]) -> list[str]:
    """List what was missing, the first of it place by place.

    Args:
        gaps: What was missing.

    Returns:
        The lines, none if nothing was missing.

    >>> gap_lines([Gap("aa/0", "video missing", 4)])
    ['missing: 4 predictions in 1 place', '  aa/0  video missing']
    """
    if not gaps:
        return []
    num_masks = sum(gap.num_masks for gap in gaps)
    places = "1 place" if len(gaps) == 1 else f"{len(gaps)} places"
    lines = [f"missing: {num_masks} predictions in {places}"]
    lines += [f"  {gap.place}  {gap.what}" for gap in gaps[:_SHOWN_GAPS]]
    if len(gaps) > _SHOWN_GAPS:
        lines.append(f"  ... and {len(gaps) - _SHOWN_GAPS} more in scores.json")
    return lines


def further_table(table: ScoreTable) -> str:
    """Lay out a table of the protocol's own.

    Args:
        table: The table.

    Returns:
        The lines.

    >>> print(further_table(ScoreTable("annotators", ("annotator", "J"), (("1", 0.5),))))
    annotator     J
    ---------------
    1          50.0
    """
    rows = [
        [cell if isinstance(cell, str) else percent(cell) for cell in row] for row in table.rows
    ]
    return "\n".join(align([list(table.columns), *rows]))


def align(cells: Sequence[Sequence[str]]) -> list[str]:
    """Align columns, the first to the left and the others to the right, below a head.

    Args:
        cells: The head, then the rows.

    Returns:
        The lines, with a rule below the head.

    >>> align([["name", "J"], ["a", "50.0"]])
    ['name     J', '----------', 'a     50.0']
    """
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for first, *others in cells:
        aligned = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append(_COLUMN_GAP.join([first.ljust(widths[0]), *aligned]).rstrip())
    rule = "-" * (sum(widths) + len(_COLUMN_GAP) * (len(widths) - 1))
    return [lines[0], rule, *lines[1:]]


def percent(value: float) -> str:
    """Write a score in percent.

    Args:
        value: The score; NaN becomes a dash.

    Returns:
        One decimal, as papers print it.

    >>> percent(0.5), percent(float("nan"))
    ('50.0', '-')
    """
    return "-" if math.isnan(value) else f"{100 * value:.1f}"


def signed(value: float) -> str:
    """Write a difference in points.

    Args:
        value: The difference; NaN becomes a dash.

    Returns:
        Sign and one decimal.

    >>> signed(0.012), signed(-0.5)
    ('+1.2', '-50.0')
    """
    return "-" if math.isnan(value) else f"{100 * value:+.1f}"


def _wins(comparison: Comparison, names: tuple[str, str]) -> str:
    pairs, column = comparison.row_values, comparison.column
    better, worse = sum(a > b for a, b in pairs), sum(a < b for a, b in pairs)
    equal = len(pairs) - better - worse
    return f"{column} per row: {names[0]} better {better}, {names[1]} better {worse}, equal {equal}"
