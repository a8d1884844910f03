"""Bar charts as pictures, drawn with Pillow, which is there anyway."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_COLOURS = ("#2b6cb0", "#dd8a2e", "#7a8591", "#3f8f5f")
_INK, _PAPER, _GRID = "#1a1a1a", "#ffffff", "#d9dde2"
_WIDTH, _LABELS, _FIGURES = 960, 260, 90
_MARGIN, _BAR, _GAP, _TEXT = 24, 16, 10, 14


@dataclass(frozen=True)
class BarChart:
    """Groups of horizontal bars that start at 0.

    Attributes:
        title: With the unit.
        series: Names of the bars of a group.
        groups: Label to one value per series; None leaves a bar out.
    """

    title: str
    series: tuple[str, ...]
    groups: Mapping[str, Sequence[float | None]]

    @property
    def height(self) -> int:
        """Pixels that the chart takes."""
        legend = _BAR + _GAP if len(self.series) > 1 else 0
        bars = len(self.groups) * (len(self.series) * _BAR + _GAP)
        return 2 * _MARGIN + _BAR + legend + bars


def draw_charts(path: Path, charts: Sequence[BarChart]) -> None:
    """Draw charts below each other into a PNG, beside the target, then rename.

    Args:
        path: The target.
        charts: At least one.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "chart.png"
    >>> draw_charts(path, [BarChart("ms/frame", ("rvos",), {"backbone": [12.0], "other": [3.0]})])
    >>> Image.open(path).width
    960
    """
    picture = Image.new("RGB", (_WIDTH, sum(chart.height for chart in charts)), _PAPER)
    draw = ImageDraw.Draw(picture)
    top = 0
    for chart in charts:
        _draw(draw, chart, top)
        top += chart.height
    part = path.with_name(f".{path.name}.part")
    picture.save(part, format="PNG")
    part.replace(path)


def _draw(draw: ImageDraw.ImageDraw, chart: BarChart, top: int) -> None:
    font = ImageFont.load_default(_TEXT)
    values = [value for group in chart.groups.values() for value in group if value is not None]
    scale = (_WIDTH - _LABELS - _FIGURES - _MARGIN) / (max(values, default=0.0) or 1.0)
    y = top + _MARGIN
    draw.text((_MARGIN, y), chart.title, fill=_INK, font=ImageFont.load_default(_TEXT + 2))
    y += _BAR + _GAP
    if len(chart.series) > 1:
        x = float(_LABELS)
        for name, colour in zip(chart.series, _COLOURS, strict=False):
            draw.rectangle((x, y, x + _TEXT, y + _TEXT - 2), fill=colour)
            draw.text((x + _TEXT + 6, y - 2), name, fill=_INK, font=font)
            x += _TEXT + 30 + draw.textlength(name, font=font)
        y += _BAR + _GAP
    start = y
    for label, group in chart.groups.items():
        middle = y + len(group) * _BAR / 2
        draw.text((_LABELS - _GAP, middle), label, fill=_INK, font=font, anchor="rm")
        for value, colour in zip(group, _COLOURS, strict=False):
            if value is not None:
                end = _LABELS + scale * value
                draw.rectangle((_LABELS, y + 1, end, y + _BAR - 2), fill=colour)
                figure = (end + 6, y + _BAR / 2)
                draw.text(figure, f"{value:.1f}", fill=_INK, font=font, anchor="lm")
            y += _BAR
        y += _GAP
    draw.line((_LABELS - 1, start - 2, _LABELS - 1, y - _GAP + 2), fill=_GRID, width=1)
