"""The worst cases of a method as pictures: target above, prediction below."""

import re
import textwrap
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from rvos.evaluation.protocols import GalleryCase, ScoreRow
from rvos.evaluation.scorer import Scores
from rvos.visualization import contact_strip, draw_legend, paint_mask, save_picture
from rvos.visualization.palette import distinct_colours

_SHOWN_FRAMES = 5
_FONT_SIZE = 14
_LINE_HEIGHT = 18
_PRED_COLOUR, _TARGET_COLOUR = distinct_colours(2)
_NAME = re.compile(r"\d{3}_.*\.png")


def worst_rows(scores: Scores, num_rows: int) -> list[ScoreRow]:
    """Choose the rows with the lowest value of the protocol's first measure.

    Args:
        scores: The scores.
        num_rows: How many.

    Returns:
        The rows, the worst first; equal ones in the order of the table.
    """
    column = scores.protocol.measures[0].column
    rows = [row for row in scores.rows if column in row.values]
    return sorted(rows, key=lambda row: row.values[column])[:num_rows]


def write_gallery(folder: Path, scores: Scores, num_rows: int) -> list[Path]:
    """Write one picture per case; pictures of an earlier run are removed.

    Args:
        folder: Where to; made if missing.
        scores: The scores.
        num_rows: How many cases.

    Returns:
        The pictures, the worst first.

    Raises:
        RvosError: A picture cannot be read or written.
    """
    column = scores.protocol.measures[0].column
    paths = []
    for number, row in enumerate(worst_rows(scores, num_rows), start=1):
        case = scores.protocol.read_case(row, _SHOWN_FRAMES)
        label = f"{100 * row.values[column]:.1f}  {row.expression or row.expression_id}"
        name = re.sub(r"[^\w.-]+", "_", f"{row.video_id}_{row.expression_id}")
        paths.append(folder / f"{number:03d}_{name}.png")
        save_picture(draw_case(case, label), paths[-1])
    for old in folder.glob("*.png"):
        if _NAME.fullmatch(old.name) and old not in paths:
            old.unlink()
    return paths


def draw_case(case: GalleryCase, label: str) -> UInt8[np.ndarray, "sh sw 3"]:
    """Draw the target of every frame above, the prediction below, a title over both.

    Args:
        case: Frames and masks.
        label: The title, wrapped to the width of the picture.

    Returns:
        RGB ``[SH, SW, 3]``.
    """
    tiles = []
    for masks, colour, title in (
        (case.target_masks, _TARGET_COLOUR, "target"),
        (case.pred_masks, _PRED_COLOUR, "prediction"),
    ):
        for position, (image, mask) in enumerate(zip(case.images, masks, strict=True)):
            tile = image.copy()
            paint_mask(tile, mask, colour)
            text = f"{title} {case.frame_ids[position]}" if case.frame_ids else title
            tiles.append(draw_legend(tile, [text], [colour]))
    strip = contact_strip(tiles, num_columns=len(case.images))
    return np.concatenate([_title(label, strip.shape[1]), strip])


def _title(label: str, width: int) -> UInt8[np.ndarray, "th sw 3"]:
    """Write a title, black on white, over as many lines as it needs."""
    font = ImageFont.load_default(_FONT_SIZE)
    letters_per_line = max(8, int(width / font.getlength("n")))
    lines = textwrap.wrap(label, letters_per_line) or [""]
    canvas = Image.new("RGB", (width, len(lines) * _LINE_HEIGHT + _FONT_SIZE // 2), "white")
    draw = ImageDraw.Draw(canvas)
    for number, line in enumerate(lines):
        draw.text((2, number * _LINE_HEIGHT), line, fill="black", font=font)
    return np.array(canvas)
