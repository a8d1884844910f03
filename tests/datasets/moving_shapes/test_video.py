"""A video is a pure function of preset, split, seed and index."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rvos.datasets.moving_shapes.errors import MovingShapesError
from rvos.datasets.moving_shapes.meaning import Performing
from rvos.datasets.moving_shapes.preset import HELD_OUT, TRANSFER
from rvos.datasets.moving_shapes.video import make_video
from rvos.datasets.moving_shapes.vocabulary import KINDS, SPLITS, Kind

INDICES = st.integers(0, 100_000)


@settings(max_examples=8)
@given(INDICES)
def test_same_arguments_give_the_same_bytes(index: int) -> None:
    first, second = (make_video(HELD_OUT, "train", 1, index) for _ in range(2))
    assert first.video_id == second.video_id
    assert first.expressions == second.expressions
    assert first.render().frames.tobytes() == second.render().frames.tobytes()
    assert first.render().instances.tobytes() == second.render().instances.tobytes()


def test_every_argument_makes_another_video() -> None:
    base = make_video(HELD_OUT, "train", 0, 0)
    others = [
        make_video(HELD_OUT, "valid", 0, 0),
        make_video(HELD_OUT, "train", 1, 0),
        make_video(HELD_OUT, "train", 0, 1),
        make_video(TRANSFER, "train", 0, 0),
        make_video(replace(HELD_OUT, version=2), "train", 0, 0),
    ]
    frames = {video.render().frames.tobytes() for video in [base, *others]}
    assert len(frames) == len({video.video_id for video in [base, *others]}) == 6


def test_names_are_unique_over_the_splits() -> None:
    names = [make_video(HELD_OUT, s, 0, i).video_id for s in ("train", "test") for i in range(20)]
    assert len(set(names)) == 40
    assert all(len(name) == 12 and set(name) <= set("0123456789abcdef") for name in names)


@pytest.mark.parametrize("split", SPLITS)
def test_length_of_the_videos(split: str) -> None:
    video = make_video(HELD_OUT, split, 0, 0)  # type: ignore[arg-type]
    assert video.world.num_frames == (320 if split == "long" else 24)
    assert {len(item.radii) for item in video.world.objects} == {video.world.num_frames}


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_alone(kind: Kind) -> None:
    for index in range(10):
        video = make_video(replace(HELD_OUT, kinds=(kind,)), "train", 0, index)
        assert len(video.expressions) >= 3
        assert {item.kind for item in video.expressions} == {kind}


def test_kinds_are_balanced() -> None:
    videos = [make_video(HELD_OUT, "test", 0, index) for index in range(60)]
    kinds = [item.kind for video in videos for item in video.expressions]
    shares = np.array([kinds.count(kind) / len(kinds) for kind in KINDS])
    assert shares.min() > 0.1
    assert shares.max() < 0.25


def test_kinds_that_the_world_cannot_offer() -> None:
    preset = replace(HELD_OUT, num_objects=(1, 1), kinds=("several",))
    with pytest.raises(MovingShapesError, match="several"):
        make_video(preset, "train", 0, 0)


def test_only_the_actions_that_are_allowed_are_said() -> None:
    kinds: tuple[Kind, ...] = ("direction", "none")
    preset = replace(HELD_OUT, kinds=kinds, actions=("enters", "leaves"))
    videos = [make_video(preset, "train", 0, index) for index in range(10)]
    meanings = [item.meaning for video in videos for item in video.expressions]
    said = {meaning.action for meaning in meanings if isinstance(meaning, Performing)}
    assert said == {"enters", "leaves"}
