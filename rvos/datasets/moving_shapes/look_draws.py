"""Random descriptions of looks, for phrases."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from rvos.datasets.moving_shapes.meaning import Look
from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.vocabulary import SIZES, TEXTURES

_Choice = TypeVar("_Choice")

# How often a phrase names shape, colour, size and texture of an object.
NAMED_SHARES = (0.8, 0.6, 0.4, 0.4)
# Places are said of sparse looks, so that several objects compete.
NAMED_SHARES_OF_PLACES = (0.6, 0.35, 0.2, 0.2)


def partial_look(
    look: Look, shares: tuple[float, float, float, float], generator: np.random.Generator
) -> Look:
    """Leave out some attributes of a look.

    Args:
        look: The look.
        shares: How often shape, colour, size and texture stay, in [0, 1].
        generator: Source of every random draw.

    Returns:
        The rest of the look.

    Example:
        >>> partial_look(Look("star", "red"), (1.0, 0.0, 1.0, 1.0), np.random.default_rng(0))
        Look(shape='star', colour=None, size=None, texture=None)
    """
    shape, colour, size, texture = generator.random(4) < shares
    return Look(
        look.shape if shape else None,
        look.colour if colour else None,
        look.size if size else None,
        look.texture if texture else None,
    )


def changed_look(look: Look, generator: np.random.Generator) -> Look:
    """Draw one attribute of a look anew.

    Args:
        look: The look.
        generator: Source of every random draw.

    Returns:
        A look that differs from it in one attribute at most.
    """
    draw = int(generator.integers(4))
    if draw == 0:
        return replace(look, shape=pick(HELD_OUT.shapes, generator))
    if draw == 1:
        return replace(look, colour=pick(HELD_OUT.colours, generator))
    if draw == 2:
        return replace(look, size=pick(SIZES, generator))
    return replace(look, texture=pick(TEXTURES, generator))


def pick(choices: Sequence[_Choice], generator: np.random.Generator) -> _Choice:
    """Take one of several things, each as likely as the others.

    Args:
        choices: The things, at least one.
        generator: Source of the random draw.

    Returns:
        One of them.
    """
    return choices[int(generator.integers(len(choices)))]
