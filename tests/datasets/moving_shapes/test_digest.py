"""The held-out test split is the one that its recorded hash names."""

from dataclasses import replace

import pytest

from rvos.datasets.moving_shapes.digest import digest_videos
from rvos.datasets.moving_shapes.preset import (
    HELD_OUT,
    HELD_OUT_DIGESTS,
    HELD_OUT_NUM_VIDEOS,
    HELD_OUT_SEED,
)


def test_first_videos_have_the_recorded_hash() -> None:
    first = min(HELD_OUT_DIGESTS)
    assert digest_videos(HELD_OUT, "test", HELD_OUT_SEED, first) == HELD_OUT_DIGESTS[first]


@pytest.mark.slow
def test_whole_split_has_the_recorded_hash() -> None:
    digest = digest_videos(HELD_OUT, "test", HELD_OUT_SEED, HELD_OUT_NUM_VIDEOS)
    assert digest == HELD_OUT_DIGESTS[HELD_OUT_NUM_VIDEOS]


def test_any_change_of_a_rule_shows() -> None:
    base = digest_videos(HELD_OUT, "test", 0, 1)
    changed = (
        replace(HELD_OUT, small_radius=(12.0, 13.6)),
        replace(HELD_OUT, num_expressions=(4, 4)),
        replace(HELD_OUT, colours=HELD_OUT.colours[::-1]),
    )
    assert base not in [digest_videos(preset, "test", 0, 1) for preset in changed]
