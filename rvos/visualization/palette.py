"""Colours that tell expressions apart."""

import colorsys

# Okabe and Ito's palette (distinguishable with colour-blind eyes), strongest on photographs first.
_NAMED_COLOURS = (
    (213, 94, 0),
    (86, 180, 233),
    (240, 228, 66),
    (0, 158, 115),
    (204, 121, 167),
    (0, 114, 178),
    (230, 159, 0),
)
_GOLDEN_RATIO = 0.618033988749895


def distinct_colours(num_colours: int) -> list[tuple[int, int, int]]:
    """Choose colours that are easy to tell apart; the first ones do not depend on the count.

    Args:
        num_colours: How many.

    Returns:
        RGB triples in 0..255.

    >>> distinct_colours(2)
    [(213, 94, 0), (86, 180, 233)]
    """
    colours = list(_NAMED_COLOURS[:num_colours])
    for index in range(len(colours), num_colours):
        # Steps of the golden ratio never come close to an earlier hue too soon.
        hue = index * _GOLDEN_RATIO % 1
        value = 0.95 if index % 2 else 0.7
        red, green, blue = colorsys.hsv_to_rgb(hue, 0.85, value)
        colours.append((round(red * 255), round(green * 255), round(blue * 255)))
    return colours
