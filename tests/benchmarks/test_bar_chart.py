"""Bars are as long as their values."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageColor

from rvos.benchmarks.bar_chart import BarChart, draw_charts


def bar_lengths(path: Path, colour: str) -> list[int]:
    """Longest run of each separate bar of a colour, from the top."""
    pixels = np.asarray(Image.open(path).convert("RGB"))
    hits = (pixels == ImageColor.getrgb(colour)).all(-1).sum(1)
    starts = np.flatnonzero(np.diff(np.concatenate([[0], hits > 20])) == 1)
    return [int(hits[start]) for start in starts]


def test_bars_are_in_proportion_and_missing_ones_left_out(tmp_path: Path) -> None:
    groups = {"one": [100.0, 50.0], "two": [25.0, None]}
    draw_charts(tmp_path / "chart.png", [BarChart("ms/frame", ("a", "b"), groups)])
    first, second = bar_lengths(tmp_path / "chart.png", "#2b6cb0")
    (other,) = bar_lengths(tmp_path / "chart.png", "#dd8a2e")
    assert first > 300
    assert abs(second - first / 4) <= 2
    assert abs(other - first / 2) <= 2


def test_charts_stand_below_each_other_and_no_part_is_left(tmp_path: Path) -> None:
    chart = BarChart("ms/frame", ("a",), {"nothing": [0.0]})
    draw_charts(tmp_path / "chart.png", [chart, chart])
    assert Image.open(tmp_path / "chart.png").height == 2 * chart.height
    assert [path.name for path in tmp_path.iterdir()] == ["chart.png"]
