"""Objects merged into one label map."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.inference.object_merge import best_track_logits, merge_objects, merge_tracks
from rvos.inference.selection import resize_mask_logits
from rvos.structures.predictions import TrackPredictions

DATA = Path(__file__).parent / "data" / "golden_merge.npz"


@given(st.integers(1, 5), st.integers(0, 999))
def test_a_pixel_goes_to_a_probable_object_or_to_none(num_objects: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    probabilities = torch.rand(num_objects, 2, 5, 6, generator=generator)
    labels = merge_objects(probabilities)
    best = probabilities.max(dim=0).values
    torch.testing.assert_close(labels == 0, best < 0.5)
    chosen = probabilities.gather(0, (labels.long()[None] - 1).clamp(min=0))[0]
    torch.testing.assert_close(chosen[labels > 0], best[labels > 0])


@given(st.integers(0, 999))
def test_merging_one_object_is_its_mask(seed: int) -> None:
    probabilities = torch.rand(1, 2, 4, 5, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(merge_objects(probabilities), (probabilities[0] >= 0.5).to(torch.uint8))


@given(st.integers(0, 999))
def test_merging_follows_a_permutation_of_objects(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    probabilities = torch.rand(4, 2, 4, 5, generator=generator)
    order = torch.randperm(4, generator=generator)
    names = torch.cat([torch.zeros(1, dtype=torch.long), order + 1]).to(torch.uint8)
    assert torch.equal(
        names[merge_objects(probabilities[order]).long()], merge_objects(probabilities)
    )


@given(st.integers(1, 3), st.integers(0, 999))
def test_tracks_are_merged_frame_by_frame(num_objects: int, seed: int) -> None:
    logits = torch.randn(num_objects, 3, 4, 6, generator=torch.Generator().manual_seed(seed))
    frames = torch.stack(list(merge_tracks(logits, (16, 24), (11, 13))))
    whole = resize_mask_logits(logits, (16, 24), (11, 13)).sigmoid()
    assert torch.equal(frames, merge_objects(whole))


def test_the_best_track_is_a_copy() -> None:
    logits = torch.randn(2, 3, 4, 6)
    boxes = torch.zeros(2, 3, 4)
    tracks = TrackPredictions(torch.tensor([0.1, 0.9, 0.5]), boxes, logits, (16, 24), (16, 24))
    best = best_track_logits(tracks)
    assert torch.equal(best, logits[:, 1])
    assert best.untyped_storage().nbytes() == logits.untyped_storage().nbytes() / 3


def test_of_equal_objects_the_first_wins() -> None:
    assert merge_objects(torch.full((3, 1, 1, 1), 0.5)).item() == 1


@pytest.mark.parity
def test_equals_the_official_label_map() -> None:
    with np.load(DATA) as data:
        probabilities, expected = data["probs"], data["label_map"]
    labels = merge_objects(torch.from_numpy(probabilities))
    assert set(np.unique(expected)) == {0, 1, 2, 3}
    np.testing.assert_array_equal(labels.numpy(), expected)
