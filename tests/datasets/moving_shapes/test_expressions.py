"""Every sentence denotes exactly its targets, in its own world and read again in others."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.moving_shapes.expressions import Expression
from rvos.datasets.moving_shapes.meaning import Performing, denotation, is_clear
from rvos.datasets.moving_shapes.parser import parse_sentence
from rvos.datasets.moving_shapes.preset import HELD_OUT, TRANSFER, MovingShapesPreset
from rvos.datasets.moving_shapes.video import make_video
from rvos.datasets.moving_shapes.world import World, WorldObject

INDICES = st.integers(0, 1_000_000)
PRESETS = st.sampled_from([HELD_OUT, TRANSFER])


def expressions_of(preset: MovingShapesPreset, index: int) -> Iterator[tuple[World, Expression]]:
    video = make_video(preset, "train", 0, index)
    yield from ((video.world, expression) for expression in video.expressions)


def lookalikes(world: World, target: WorldObject) -> list[WorldObject]:
    def look(item: WorldObject) -> tuple[object, ...]:
        seen = item.appearance
        return seen.shape, seen.colour, seen.size, seen.texture, item.rgb, item.stripe_angle

    return [item for item in world.objects if item is not target and look(item) == look(target)]


@given(PRESETS, INDICES)
def test_sentence_read_again_denotes_its_targets(preset: MovingShapesPreset, index: int) -> None:
    for world, expression in expressions_of(preset, index):
        meaning = parse_sentence(expression.sentence)
        assert is_clear(meaning, world)
        assert denotation(meaning, world) == expression.denotes(world)


@given(PRESETS, INDICES, INDICES)
def test_sentence_read_again_means_the_same_in_other_worlds(
    preset: MovingShapesPreset, index: int, other: int
) -> None:
    elsewhere = make_video(preset, "valid", 0, other).world
    for _, expression in expressions_of(preset, index):
        meaning = parse_sentence(expression.sentence)
        assert meaning.judge(elsewhere) == expression.meaning.judge(elsewhere)


@given(PRESETS, INDICES)
def test_number_of_targets_fits_the_kind(preset: MovingShapesPreset, index: int) -> None:
    for world, expression in expressions_of(preset, index):
        num_targets = len(expression.denotes(world))
        if expression.kind == "none":
            assert num_targets == 0
        elif expression.kind == "several":
            assert num_targets >= 2
        else:
            assert num_targets == 1


@given(PRESETS, INDICES)
def test_sentences_are_lower_case_and_differ(preset: MovingShapesPreset, index: int) -> None:
    sentences = [expression.sentence for _, expression in expressions_of(preset, index)]
    assert len(set(sentences)) == len(sentences)
    assert all(s == " ".join(s.lower().split()) and s.isascii() for s in sentences)


@given(PRESETS, INDICES)
def test_targets_of_motion_have_a_distractor_of_equal_look(
    preset: MovingShapesPreset, index: int
) -> None:
    for world, expression in expressions_of(preset, index):
        if expression.kind not in ("motion", "direction"):
            continue
        assert isinstance(expression.meaning, Performing)
        (target,) = (world.by_id(key) for key in expression.denotes(world))
        judged = expression.meaning.judge(world)
        assert any(judged[item.object_id] is False for item in lookalikes(world, target))


@given(PRESETS, INDICES)
def test_only_direction_depends_on_the_order_of_frames(
    preset: MovingShapesPreset, index: int
) -> None:
    for world, expression in expressions_of(preset, index):
        forwards = expression.denotes(world)
        backwards = expression.denotes(world.reversed_in_time())
        if expression.kind != "direction":
            assert expression.kind == "none" or forwards == backwards
            continue
        # backwards, a look-alike does what the target did, and the target does it no more
        (target,) = (world.by_id(key) for key in forwards)
        assert not forwards & backwards
        assert backwards & {item.object_id for item in lookalikes(world, target)}


@given(INDICES)
def test_relation_is_needed(index: int) -> None:
    for world, expression in expressions_of(HELD_OUT, index):
        if expression.kind == "relation":
            look = expression.meaning.look  # type: ignore[attr-defined]
            assert len(denotation(look, world)) >= 2
