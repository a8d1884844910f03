from collections import Counter
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, DistributedSampler

from rvos.datasets.clip_dataset import ClipDataset
from rvos.datasets.collate import collate_clips
from rvos.datasets.errors import DatasetError
from rvos.datasets.mixture import MixtureDataset, split_by_weight
from rvos.datasets.targets import clip_targets
from rvos.structures.video import VideoSample


class Part(ClipDataset):
    """Clips of one pixel that tell in which epoch they were read."""

    has_annotations = True

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def __len__(self) -> int:
        return self.length

    def sample_id(self, index: int) -> str:
        return f"v{index}/0"

    def read_sample(self, index: int, epoch: int) -> VideoSample:
        masks = torch.zeros(0, 1, 1, 1, dtype=torch.bool).numpy()
        targets = clip_targets(masks, torch.zeros(0, dtype=torch.bool))
        frames = torch.full((1, 3, 1, 1), float(epoch))
        ids = (self.sample_id(index), f"v{index}")
        return VideoSample(*ids, "", "", ["0"], frames, targets, (1, 1))


def _ids(mixture: MixtureDataset, epoch: int) -> list[str]:
    mixture.set_epoch(epoch)
    return [mixture.sample_id(index) for index in range(len(mixture))]


LENGTHS = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 12), min_size=1)


@given(lengths=LENGTHS)
def test_without_weights_every_sample_is_there_once_in_order(lengths: dict[str, int]) -> None:
    mixture = MixtureDataset({name: Part(length) for name, length in lengths.items()})
    expected = [f"{name}/v{i}/0" for name, length in lengths.items() for i in range(length)]
    for epoch in (0, 3):
        assert _ids(mixture, epoch) == expected
        assert [mixture[i].sample_id for i in range(len(mixture))] == expected
        assert {float(mixture[i].frames.max()) for i in range(len(mixture))} == {float(epoch)}


@given(
    lengths=LENGTHS,
    weights=st.lists(st.integers(0, 5), min_size=4, max_size=4).filter(any),
    num_samples=st.integers(1, 40),
    seed=st.integers(0, 100),
)
def test_shares_hold_and_no_sample_comes_twice_before_all_have_come(
    lengths: dict[str, int], weights: list[int], num_samples: int, seed: int
) -> None:
    chosen = dict(zip(lengths, map(float, weights), strict=False))
    parts = {name: Part(length) for name, length in lengths.items()}
    if not any(chosen.values()):
        chosen = dict.fromkeys(lengths, 1.0)
    mixture = MixtureDataset(parts, chosen, num_samples, seed)
    seen: dict[str, Counter[tuple[str, float]]] = {name: Counter() for name in parts}
    for epoch in range(4):
        names = Counter()
        mixture.set_epoch(epoch)
        for index in range(len(mixture)):
            sample = mixture[index]
            assert sample.sample_id == mixture.sample_id(index)
            name, rest = sample.sample_id.split("/", 1)
            assert sample.video_id == f"{name}/{rest.split('/')[0]}"
            names[name] += 1
            seen[name][rest, float(sample.frames.max())] += 1
        for name, weight in chosen.items():
            exact = num_samples * weight / sum(chosen.values())
            assert abs(names[name] - exact) < 1
    for name, counter in seen.items():
        # Every round has draws of its own, so no augmented sample is seen twice ...
        assert all(count == 1 for count in counter.values())
        # ... and over the epochs the samples come equally often.
        times = Counter(rest for rest, _ in counter)
        counts = [times[f"v{index}/0"] for index in range(len(parts[name]))]
        assert max(counts) - min(counts) <= 1


def test_an_epoch_depends_on_seed_and_epoch_alone() -> None:
    def mixture(seed: int) -> MixtureDataset:
        return MixtureDataset({"a": Part(9), "b": Part(4)}, {"a": 1.0, "b": 1.0}, seed=seed)

    first, second = mixture(0), mixture(0)
    _ids(second, 7)  # another epoch before does not matter
    epochs = [_ids(first, epoch) for epoch in range(3)]
    assert epochs == [_ids(second, epoch) for epoch in range(3)]
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert epochs != [_ids(mixture(1), epoch) for epoch in range(3)]


def test_ranks_share_an_epoch_without_overlap() -> None:
    mixture = MixtureDataset({"a": Part(9), "b": Part(3)}, {"a": 2.0, "b": 1.0}, num_samples=12)
    mixture.set_epoch(2)
    ids: list[Any] = []
    for rank in range(2):
        sampler: DistributedSampler[int] = DistributedSampler(mixture, num_replicas=2, rank=rank)
        sampler.set_epoch(2)
        loader = DataLoader(mixture, 2, sampler=sampler, collate_fn=collate_clips)
        ids += [sample_id for batch in loader for sample_id in batch.sample_ids]
    assert sorted(ids) == sorted(_ids(mixture, 2))


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_workers_give_the_same_batches() -> None:
    def epochs(num_workers: int) -> list[list[str]]:
        parts = {"a": Part(5), "b": MixtureDataset({"c": Part(2), "d": Part(1)})}
        mixture = MixtureDataset(parts, {"a": 1.0, "b": 2.0}, num_samples=10)
        loader = DataLoader(
            mixture,
            4,
            collate_fn=collate_clips,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
        )
        batches = []
        for epoch in range(2):
            mixture.set_epoch(epoch)
            batches += [batch.sample_ids for batch in loader]
        return batches

    assert epochs(0) == epochs(2)


def test_masks_are_needed_in_every_part_to_score() -> None:
    blind = Part(1)
    blind.has_annotations = False
    assert MixtureDataset({"a": Part(1)}).has_annotations
    assert not MixtureDataset({"a": Part(1), "b": blind}).has_annotations


@given(st.lists(st.floats(0, 10), min_size=1, max_size=5).filter(sum), st.integers(0, 1000))
def test_split_by_weight_adds_up(weights: list[float], total: int) -> None:
    counts = split_by_weight(weights, total)
    assert sum(counts) == total
    for weight, count in zip(weights, counts, strict=True):
        assert abs(count - weight / sum(weights) * total) < 1 + 1e-6


@pytest.mark.parametrize(
    ("weights", "num_samples", "message"),
    [
        ({"a": 1.0}, None, "weights are given for a but the mixture has a, b"),
        ({"a": 1.0, "b": -1.0}, None, "must be >= 0"),
        ({"a": 0.0, "b": 0.0}, None, "give no shares"),
        ({"a": float("nan"), "b": 1.0}, None, "give no shares"),
        ({"a": 1.0, "b": 1.0}, 0, "an epoch of 0 samples is empty"),
        (None, 5, "give `weights` too"),
    ],
)
def test_what_cannot_be_mixed(
    weights: dict[str, float] | None, num_samples: int | None, message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        MixtureDataset({"a": Part(2), "b": Part(2)}, weights, num_samples)


def test_there_is_nothing_beyond_the_end() -> None:
    mixture = MixtureDataset({"a": Part(2)})
    for index in (2, -1):
        with pytest.raises(IndexError):
            mixture.locate(index, 0)
