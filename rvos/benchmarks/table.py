"""Tables for a terminal and for a page of documentation."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Rows under a header; the first column is text, the others are figures.

    Attributes:
        header: One cell per column.
        rows: As many cells each.

    >>> table = Table(["stage", "ms"], [["backbone", "12.0"], ["other", "3.5"]])
    >>> print(table.as_text())
    stage       ms
    backbone  12.0
    other      3.5
    >>> print(table.as_markdown())
    | stage | ms |
    |---|---|
    | backbone | 12.0 |
    | other | 3.5 |
    """

    header: list[str]
    rows: list[list[str]]

    def as_text(self) -> str:
        """Align the columns."""
        cells = [self.header, *self.rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = []
        for first, *others in cells:
            figures = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
            lines.append("  ".join([first.ljust(widths[0]), *figures]).rstrip())
        return "\n".join(lines)

    def as_markdown(self) -> str:
        """Write it as docs/benchmarks.md has it."""
        lines = [f"| {' | '.join(cells)} |" for cells in (self.header, *self.rows)]
        lines.insert(1, "|" + "---|" * len(self.header))
        return "\n".join(lines)
