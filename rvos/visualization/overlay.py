"""Masks painted over a frame."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image, ImageDraw, ImageFont

from rvos.visualization.palette import distinct_colours

Colour = tuple[int, int, int]

# A legend on a smaller frame would hide the frame.
_MINIMUM_LEGEND_SIZE = 96


def draw_overlay(
    image: UInt8[np.ndarray, "h w 3"],
    masks: Bool[np.ndarray, "n h w"],
    labels: Sequence[str] = (),
    colours: Sequence[Colour] | None = None,
    opacity: float = 0.45,
) -> UInt8[np.ndarray, "h w 3"]:
    """Blend masks into a frame, draw their contours and a legend.

    Args:
        image: RGB ``[H, W, 3]``, left as it is.
        masks: ``[N, H, W]``, True on the object; later masks lie above earlier ones.
        labels: One legend line per mask, or none for no legend.
        colours: One RGB triple per mask; None takes ``distinct_colours``.
        opacity: Share of the colour inside a mask, in [0, 1].

    Returns:
        RGB ``[H, W, 3]``.

    >>> draw_overlay(np.zeros((8, 9, 3), np.uint8), np.ones((1, 8, 9), bool)).shape
    (8, 9, 3)
    """
    colours = distinct_colours(len(masks)) if colours is None else colours
    painted = image.copy()
    for mask, colour in zip(masks, colours, strict=True):
        paint_mask(painted, mask, colour, opacity)
    if labels:
        painted = draw_legend(painted, labels, colours)
    return painted


def paint_mask(
    image: UInt8[np.ndarray, "h w 3"],
    mask: Bool[np.ndarray, "h w"],
    colour: Colour,
    opacity: float = 0.45,
) -> None:
    """Blend one mask into a frame in place and draw its contour.

    Args:
        image: RGB ``[H, W, 3]``.
        mask: ``[H, W]``, True on the object.
        colour: RGB triple.
        opacity: Share of the colour inside the mask, in [0, 1].

    >>> frame = np.zeros((5, 5, 3), np.uint8)
    >>> paint_mask(frame, np.eye(5, dtype=bool), (255, 0, 0))
    >>> frame[0].tolist()[:2]
    [[255, 0, 0], [0, 0, 0]]
    """
    if not mask.any():
        return
    blended = image[mask] * (1.0 - opacity) + np.asarray(colour) * opacity
    image[mask] = np.rint(blended).astype(np.uint8)
    thickness = max(1, round(min(mask.shape) / 240))
    kernel = np.ones((2 * thickness + 1, 2 * thickness + 1), np.uint8)
    # Outside the frame counts as background, so an object cut by the border keeps its contour.
    inside = cv2.erode(
        mask.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0
    ).astype(bool)
    image[mask & ~inside] = colour


def draw_legend(
    image: UInt8[np.ndarray, "h w 3"],
    labels: Sequence[str],
    colours: Sequence[Colour],
) -> UInt8[np.ndarray, "h w 3"]:
    """Write one line per label into the top left corner.

    Long labels are cut to the width of the frame. Frames under 96 pixels in a side have no room and
    come back as they are; lines beyond a third of the height are left out.

    Args:
        image: RGB ``[H, W, 3]``, left as it is.
        labels: The lines.
        colours: One RGB triple per line.

    Returns:
        RGB ``[H, W, 3]``.

    >>> int(draw_legend(np.zeros((96, 96, 3), np.uint8), ["a dog"], [(255, 0, 0)]).max())
    255
    """
    height, width = image.shape[:2]
    if min(height, width) < _MINIMUM_LEGEND_SIZE:
        return image
    font_size = max(9, round(min(height, width) / 24))
    font = ImageFont.load_default(font_size)
    line_height = round(font_size * 1.25)
    margin = max(2, font_size // 4)
    num_lines = min(len(labels), max(1, (height // 3 - 2 * margin) // line_height))
    text_left = 2 * margin + font_size
    lines = [_fit(label, font, width - text_left - 2 * margin) for label in labels[:num_lines]]
    box_width = text_left + 2 * margin + round(max(font.getlength(line) for line in lines))
    box_height = num_lines * line_height + 2 * margin

    canvas = image.copy()
    canvas[:box_height, :box_width] = canvas[:box_height, :box_width] // 3
    picture = Image.fromarray(canvas)
    draw = ImageDraw.Draw(picture)
    for index, line in enumerate(lines):
        top = margin + index * line_height
        draw.rectangle(
            (margin, top + margin // 2, margin + font_size - 2, top + margin // 2 + font_size - 2),
            fill=colours[index],
        )
        draw.text((text_left, top), line, fill=(255, 255, 255), font=font)
    return np.array(picture)


def _fit(label: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """Cut a label so that it is at most ``width`` pixels wide."""
    if font.getlength(label) <= width:
        return label
    while label and font.getlength(f"{label}…") > width:
        label = label[:-1]
    return f"{label.rstrip()}…"
