from pathlib import Path

import pytest
import torch
from torch.utils.data import DistributedSampler

from rvos.datamodules.evaluation_loader import evaluation_loader
from rvos.datamodules.loader import (
    EpochDataLoader,
    EpochShuffleSampler,
    training_loader,
)
from rvos.datasets.clip_sampler import ClipSampler
from rvos.datasets.collate import collate_clips
from rvos.datasets.mevis import MeViSDataset
from rvos.transforms.presets import training_transform


def _dataset(root: Path, num_frames: int = 2) -> MeViSDataset:
    transform = training_transform("moving_shapes")
    return MeViSDataset(
        root, "train", sampler=ClipSampler(num_frames), sampling_step=6, transform=transform
    )


def test_order_is_a_permutation_of_seed_and_epoch() -> None:
    orders = {}
    for seed in (0, 1):
        for epoch in (0, 1):
            sampler = EpochShuffleSampler(20, seed)
            sampler.set_epoch(epoch)
            orders[seed, epoch] = tuple(sampler)
            assert tuple(sampler) == orders[seed, epoch]
            assert sorted(sampler) == list(range(20)) == list(range(len(sampler)))
    assert len(set(orders.values())) == 4


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_every_epoch_has_its_own_draws_with_any_number_of_workers(
    mevis_root: Path, num_workers: int
) -> None:
    expected = []
    for epoch in range(3):
        dataset = _dataset(mevis_root)
        dataset.set_epoch(epoch)
        sampler = EpochShuffleSampler(len(dataset), seed=7)
        sampler.set_epoch(epoch)
        order = list(sampler)
        expected.append([dataset[order[0]], dataset[order[1]]])
    loader = training_loader(_dataset(mevis_root), 2, num_workers, seed=7)
    for epoch, samples in enumerate(expected):
        loader.sampler.set_epoch(epoch)  # type: ignore[union-attr]
        batches = list(loader)
        assert batches[0].sample_ids == [sample.sample_id for sample in samples]
        assert batches[0].frame_ids == [sample.frame_ids for sample in samples]
        assert torch.equal(batches[0].frames, collate_clips(samples).frames)
        assert len(batches) == len(loader.dataset) // 2  # type: ignore[arg-type]


def test_epoch_of_a_distributed_sampler_reaches_the_data_set(mevis_root: Path) -> None:
    dataset = _dataset(mevis_root)
    sampler: DistributedSampler[int] = DistributedSampler(dataset, num_replicas=2, rank=1)
    loader = EpochDataLoader(dataset, batch_size=2, sampler=sampler, collate_fn=collate_clips)
    sampler.set_epoch(4)
    iter(loader)
    assert dataset.epoch == 4


def test_epoch_that_the_data_set_was_opened_with_counts(mevis_root: Path) -> None:
    dataset = _dataset(mevis_root)
    dataset.set_epoch(3)
    loader = training_loader(dataset, 2, 0, seed=0)
    iter(loader)
    assert (dataset.epoch, loader.sampler.epoch) == (3, 3)  # type: ignore[union-attr]


def test_small_data_sets_still_give_a_batch(mevis_root: Path) -> None:
    dataset = _dataset(mevis_root)
    assert len(training_loader(dataset, len(dataset) + 1, 0, seed=0)) == 1
    assert len(training_loader(dataset, len(dataset) - 1, 0, seed=0)) == 1


def test_evaluation_takes_whole_videos_one_by_one(mevis_root: Path) -> None:
    dataset = MeViSDataset(mevis_root, "valid_u")
    batches = list(evaluation_loader(dataset, 0))
    assert [b.sample_ids[0] for b in batches] == [dataset.sample_id(i) for i in range(len(dataset))]
    assert all(b.frames.shape[:2] == (1, 12) for b in batches)


@pytest.mark.parametrize("distributed", [False, True])
@pytest.mark.parametrize("num_done", [0, 1, 3])
def test_state_goes_on_in_the_middle_of_an_epoch(
    mevis_root: Path, num_done: int, distributed: bool
) -> None:
    def loader() -> EpochDataLoader:
        dataset = _dataset(mevis_root)
        if not distributed:
            return training_loader(dataset, 2, 0, seed=7)
        sampler = DistributedSampler(dataset, num_replicas=1, rank=0, seed=7)
        return EpochDataLoader(dataset, 2, sampler=sampler, collate_fn=collate_clips)

    whole = loader()
    whole.sampler.set_epoch(1)  # type: ignore[union-attr]
    expected = [batch.sample_ids for batch in whole]
    first = loader()
    first.sampler.set_epoch(1)  # type: ignore[union-attr]
    batches = iter(first)
    had = [next(batches).sample_ids for _ in range(num_done)]
    second = loader()
    second.load_state_dict(first.state_dict())
    assert had + [batch.sample_ids for batch in second] == expected
    assert second.state_dict() == {"epoch": 1, "num_given": len(expected)}
    assert len(list(second)) == len(expected)


def test_state_of_a_finished_epoch_begins_the_next(mevis_root: Path) -> None:
    first = training_loader(_dataset(mevis_root), 2, 0, seed=7)
    list(first)
    second = training_loader(_dataset(mevis_root), 2, 0, seed=7)
    second.load_state_dict(first.state_dict())
    third = training_loader(_dataset(mevis_root), 2, 0, seed=7)
    third.sampler.set_epoch(1)  # type: ignore[union-attr]
    ids = [[batch.sample_ids for batch in loader] for loader in (second, third)]
    assert ids[0] == ids[1]


@pytest.mark.parametrize("num_samples", [12, 13, 15])
def test_ranks_share_the_batches_that_one_would_have(num_samples: int) -> None:
    (alone,) = _shares(num_samples, 1)
    ranks = _shares(num_samples, 3)
    assert [len(share) for share in ranks] == [num_samples // 3] * 3
    for start in range(0, num_samples // 3, 2):
        together = {index for share in ranks for index in share[start : start + 2]}
        assert together == set(alone[3 * start : 3 * (start + 2)]) - set(
            alone[num_samples // 3 * 3 :]
        )
    assert [sampler[1:] for sampler in ranks] == _shares(num_samples, 3, num_skipped=1)


def test_ranks_without_enough_samples_get_one_each() -> None:
    assert [len(share) for share in _shares(2, 3)] == [1, 1, 1]
    assert _shares(0, 3) == [[], [], []]


def _shares(num_samples: int, num_ranks: int, num_skipped: int = 0) -> list[list[int]]:
    samplers = [EpochShuffleSampler(num_samples, 7, num_ranks, rank) for rank in range(num_ranks)]
    for sampler in samplers:
        sampler.num_skipped = num_skipped
    return [list(sampler) for sampler in samplers]


def test_an_epoch_whose_end_is_still_to_come_has_no_batch(mevis_root: Path) -> None:
    loader = training_loader(_dataset(mevis_root), 2, 0, seed=7)
    loader.load_state_dict({"epoch": 1, "num_given": 1, "is_over": True})
    assert list(loader) == []
    assert loader.state_dict() == {"epoch": 1, "num_given": 1}
    assert len(list(loader)) == len(loader)
