"""Phrases say of each object what the world says."""

import pytest
import torch

from rvos.datasets.moving_shapes.attribute_frames import IGNORED_LABEL, AttributeFrame
from rvos.datasets.moving_shapes.meaning import Look
from rvos.datasets.moving_shapes.phrases import (
    Phrase,
    VisibleObject,
    fits,
    judgement_table,
    phrase_map,
    visible_objects,
)
from rvos.datasets.moving_shapes.vocabulary import COLOURS, SHAPES, SIZES, TEXTURES

STAR = Look("star", "red", "small", "plain")
DISC = Look("circle", "blue", None, "striped")  # its size changes
OBJECTS = [
    VisibleObject(1, STAR, (20.0, 30.0)),
    VisibleObject(2, DISC, (60.0, 34.0)),
    VisibleObject(4, STAR, (90.0, 80.0)),
]


def frame_of(*looks: Look) -> AttributeFrame:
    """A frame with a column of background and one column per look."""
    labels = torch.full((4, 2, len(looks) + 1), IGNORED_LABEL)
    for column, look in enumerate(looks, start=1):
        assert look.shape is not None
        assert look.colour is not None
        assert look.texture is not None
        size = IGNORED_LABEL if look.size is None else SIZES.index(look.size)
        indices = [SHAPES.index(look.shape), COLOURS.index(look.colour), size]
        labels[:, :, column] = torch.tensor([*indices, TEXTURES.index(look.texture)])[:, None]
    instance = torch.arange(len(looks) + 1).repeat(2, 1)
    shape, colour, size_map, texture = labels
    frame = torch.zeros(3, *instance.shape)
    return AttributeFrame(frame, (instance > 0).long(), shape, colour, size_map, texture, instance)


def test_visible_objects_have_the_looks_and_places_of_the_maps() -> None:
    found = visible_objects(frame_of(STAR, DISC))
    assert [item.look for item in found] == [STAR, DISC]
    assert [item.instance for item in found] == [1, 2]
    assert found[1].centre_xy == (2.0, 0.5)
    assert visible_objects(frame_of()) == []


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (Look(), [True, True]),
        (Look(shape="star"), [True, False]),
        (Look(colour="blue", texture="striped"), [False, True]),
        (Look(shape="star", colour="blue"), [False, False]),
        (Look(size="small"), [True, None]),
        (Look(shape="star", size="large"), [False, False]),
    ],
)
def test_a_look_is_true_false_or_open(look: Look, expected: list[bool | None]) -> None:
    assert [fits(look, seen) for seen in (STAR, DISC)] == expected


def test_maps_repeat_the_judgements() -> None:
    phrase = Phrase("small thing", (True, None, False))
    instance = torch.tensor([[0, 1, 2, 4, 4]])
    assert phrase_map(instance, OBJECTS, phrase).tolist() == [[0, 1, IGNORED_LABEL, 0, 0]]


def test_labels_repeat_the_judgements() -> None:
    phrases = [Phrase("small thing", (True, None)), Phrase("the star", (False, True))]
    assert judgement_table(phrases, 2).tolist() == [[1, 0], [IGNORED_LABEL, 1]]
    assert judgement_table([], 3).shape == (3, 0)
    assert judgement_table([Phrase("the star", ())], 0).shape == (0, 1)
