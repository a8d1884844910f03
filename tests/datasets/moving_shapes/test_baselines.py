"""The oracle bounds what a stride-4 model can reach; the baselines need no understanding."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.moving_shapes.baselines import largest_object, shuffled_partners, stride_oracle
from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.video import make_video
from rvos.metrics.functional import contour_accuracy, region_similarity


def test_oracle_reaches_95_on_the_held_out_split() -> None:
    scores = []
    for index in range(20):
        video = make_video(HELD_OUT, "test", 0, index)
        instances = video.render().instances
        for expression in video.expressions:
            if expression.kind == "none":
                continue
            masks = np.isin(instances, sorted(expression.denotes(video.world)))
            target, pred = torch.from_numpy(masks), torch.from_numpy(stride_oracle(masks))
            region = region_similarity(pred, target).mean()
            contour = contour_accuracy(pred, target).mean()
            scores.append(float(region + contour) / 2)
    assert 0.95 <= np.mean(scores) < 1.0


def test_oracle_of_a_coarse_mask_is_exact_inside() -> None:
    masks = np.zeros((2, 33, 50), dtype=bool)
    masks[0, 8:24, 12:40] = True
    restored = stride_oracle(masks)
    assert restored.shape == masks.shape
    assert restored[0, 10:22, 14:38].all()
    assert not restored[1].any()


def test_largest_object() -> None:
    tracks = np.zeros((3, 2, 4, 4), dtype=bool)
    tracks[0, 0, 0, 0] = tracks[2, 0, 0] = tracks[1, :, 0] = True
    assert (largest_object(tracks) == tracks[1]).all()


@given(st.lists(st.integers(1, 8), min_size=2, max_size=12), st.integers(0, 100))
def test_partners_are_a_permutation_over_other_videos(sizes: list[int], seed: int) -> None:
    video_ids = [f"v{number}" for number, size in enumerate(sizes) for _ in range(size)]
    partners = shuffled_partners(video_ids, seed)
    assert sorted(partners) == list(range(len(video_ids)))
    assert partners == shuffled_partners(video_ids, seed)
    if max(sizes) * 2 <= len(video_ids):
        pairs = enumerate(partners)
        assert all(video_ids[own] != video_ids[partner] for own, partner in pairs)


def test_seeds_pair_differently() -> None:
    video_ids = [f"v{number}" for number in range(30)]
    assert shuffled_partners(video_ids, 0) != shuffled_partners(video_ids, 1)
