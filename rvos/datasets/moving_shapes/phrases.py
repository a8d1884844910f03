"""Phrases about one frame or clip, true or false of each object in it, as GroundingDINO learns."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from rvos.datasets.moving_shapes.actions import Doing, Judgement
from rvos.datasets.moving_shapes.attribute_frames import (
    IGNORED_LABEL,
    AttributeFrame,
    AttributeVideo,
)
from rvos.datasets.moving_shapes.meaning import Look
from rvos.datasets.moving_shapes.vocabulary import COLOURS, SHAPES, SIZES, TEXTURES


@dataclass(frozen=True)
class VisibleObject:
    """An object as one frame shows it, or as a whole video does.

    Attributes:
        instance: Its number in the frame's map.
        look: Its look; the size is None while it changes.
        centre_xy: Centre of its visible part, in pixels; None of a video.
        doing: What it does; None of a frame.
    """

    instance: int
    look: Look
    centre_xy: tuple[float, float] | None = None
    doing: Doing | None = None


@dataclass(frozen=True)
class Phrase:
    """A noun phrase and what it says of each object.

    Attributes:
        text: The phrase, lower case, without a full stop.
        judgements: True, False or None (open) for each visible object.
    """

    text: str
    judgements: tuple[Judgement, ...]


def visible_objects(frame: AttributeFrame) -> list[VisibleObject]:
    """List what a frame shows.

    Args:
        frame: Maps of a frame.

    Returns:
        Objects by number.
    """
    objects = []
    for instance in frame.instance.unique().tolist():
        if instance == 0:
            continue
        rows, columns = torch.nonzero(frame.instance == instance, as_tuple=True)
        row, column = int(rows[0]), int(columns[0])
        maps = (frame.shape, frame.colour, frame.size, frame.texture)
        look = _look(*(int(labels[row, column]) for labels in maps))
        centre = (float(columns.float().mean()), float(rows.float().mean()))
        objects.append(VisibleObject(instance, look, centre))
    return objects


def video_objects(video: AttributeVideo) -> list[VisibleObject]:
    """List what is in a video.

    Args:
        video: The video.

    Returns:
        Objects by number, with what they do.
    """
    return [
        VisibleObject(number, _look(*labels.tolist()), doing=doing)
        for number, (labels, doing) in enumerate(zip(video.labels, video.doings, strict=True), 1)
    ]


def judgement_table(phrases: Sequence[Phrase], num_objects: int) -> Int[Tensor, "n p"]:
    """Write judgements as labels.

    Args:
        phrases: P phrases that judge N objects.
        num_objects: N.

    Returns:
        ``[N, P]``: 1 where a phrase is true of an object, 0 where not, -100 where it is open.

    Example:
        >>> judgement_table([Phrase("the star", (True, None))], 2).tolist()
        [[1], [-100]]
    """
    rows = [
        [IGNORED_LABEL if said is None else int(said) for said in phrase.judgements]
        for phrase in phrases
    ]
    return torch.tensor(rows, dtype=torch.int64).view(len(phrases), num_objects).T


def phrase_map(
    instance: Int[Tensor, "*t h w"], objects: Sequence[VisibleObject], phrase: Phrase
) -> Int[Tensor, "*t h w"]:
    """Tell of which pixels a phrase is true.

    Args:
        instance: ``[*T, H, W]``, number of the object, 0 on background.
        objects: The objects that were judged.
        phrase: The phrase.

    Returns:
        ``[*T, H, W]``: 1 where it is true, 0 where not, -100 where it is open.
    """
    numbers = [int(instance.max()), *(item.instance for item in objects)]
    labels = torch.zeros(max(numbers) + 1, dtype=torch.int64)
    for item, judgement in zip(objects, phrase.judgements, strict=True):
        labels[item.instance] = IGNORED_LABEL if judgement is None else int(judgement)
    return labels[instance]


def fits(look: Look, seen: Look) -> Judgement:
    """Judge whether a description fits a look.

    Args:
        look: The description; None leaves an attribute open.
        seen: What is seen; the size is None while it changes.

    Returns:
        True, False, or None where only the size decides and it changes.
    """
    pairs = ((look.shape, seen.shape), (look.colour, seen.colour), (look.texture, seen.texture))
    if any(wanted is not None and wanted != value for wanted, value in pairs):
        return False
    if look.size is None:
        return True
    return None if seen.size is None else look.size == seen.size


def _look(shape: int, colour: int, size: int, texture: int) -> Look:
    known_size = None if size == IGNORED_LABEL else SIZES[size]
    return Look(SHAPES[shape], COLOURS[colour], known_size, TEXTURES[texture])
