import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.utils.data import DataLoader

from rvos.datasets.clip_sampler import ClipSampler
from rvos.datasets.collate import collate_clips
from rvos.datasets.errors import DatasetError
from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.targets import mask_boxes_cxcywh
from rvos.structures.video import VideoSample
from rvos.transforms.frames import denormalise_frames
from rvos.transforms.presets import training_transform
from rvos.transforms.resize import RandomSizeCrop, ResizeShortSide
from rvos.transforms.video import ClipTransform

TARGETS = ["referred_union", "referred_tracks", "all_tracks"]


def _equal(first: VideoSample, second: VideoSample) -> bool:
    return (
        first.sample_id == second.sample_id
        and first.expression == second.expression
        and first.frame_ids == second.frame_ids
        and torch.equal(first.frames, second.frames)
        and torch.equal(first.targets.masks, second.targets.masks)
        and torch.equal(first.targets.boxes_cxcywh, second.targets.boxes_cxcywh)
    )


def _training(root: Path, seed: int = 0) -> MeViSDataset:
    transform = training_transform("moving_shapes")
    return MeViSDataset(
        root, "train", sampler=ClipSampler(3), sampling_step=2, transform=transform, seed=seed
    )


def test_samples_depend_on_seed_epoch_and_id_alone(mevis_root: Path) -> None:
    first, second = _training(mevis_root), _training(mevis_root)
    second[5]  # reading other samples before does not matter
    assert all(_equal(first[i], second[i]) for i in range(len(first)))
    other_seed = _training(mevis_root, seed=1)
    assert not all(_equal(first[i], other_seed[i]) for i in range(len(first)))
    second.set_epoch(1)
    assert not all(_equal(first[i], second[i]) for i in range(len(first)))
    second.set_epoch(0)
    assert all(_equal(first[i], second[i]) for i in range(len(first)))


def test_batches_do_not_depend_on_the_number_of_workers(mevis_root: Path) -> None:
    def epochs(num_workers: int) -> list[torch.Tensor]:
        dataset = _training(mevis_root)
        loader = DataLoader(
            dataset,
            batch_size=3,
            collate_fn=collate_clips,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
        )
        batches = []
        for epoch in range(2):
            dataset.set_epoch(epoch)
            batches += [batch.frames for batch in loader]
        return batches

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer cores than workers is fine here
        alone, shared = epochs(0), epochs(2)
    assert len(alone) == len(shared) == 2 * -(-len(_training(mevis_root)) // 3)
    assert all(torch.equal(a, b) for a, b in zip(alone, shared, strict=True))
    half = len(alone) // 2
    assert not all(torch.equal(a, b) for a, b in zip(alone[:half], alone[half:], strict=True))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(epoch=st.integers(0, 10**6), targets=st.sampled_from(TARGETS))
def test_boxes_fit_the_masks_after_random_geometry(
    mevis_root: Path, epoch: int, targets: str
) -> None:
    steps = [RandomSizeCrop(6, 12), ResizeShortSide((8, 11, 17), 24)]
    dataset = MeViSDataset(
        mevis_root,
        "train",
        sampler=ClipSampler(3),
        sampling_step=4,
        transform=ClipTransform(steps),
        targets=targets,  # type: ignore[arg-type]
    )
    dataset.set_epoch(epoch)
    for index in range(len(dataset)):
        result = dataset[index].targets
        assert torch.equal(result.boxes_cxcywh, mask_boxes_cxcywh(result.masks))
        assert torch.equal(result.present, result.masks.flatten(2).any(-1))
        assert bool(((result.boxes_cxcywh >= 0) & (result.boxes_cxcywh <= 1)).all())


def test_kinds_of_target(mevis_root: Path) -> None:
    union, tracks, everything = (
        MeViSDataset(mevis_root, "valid_u", targets=targets, kinds=["several", "appearance"])
        for targets in TARGETS
    )
    for index in range(len(union)):
        one, referred, every = (d[index].targets for d in (union, tracks, everything))
        assert one.masks.shape[0] == 1
        assert bool(referred.referred.all())
        assert torch.equal(referred.masks.any(0), one.masks[0])
        assert torch.equal(every.masks[every.referred], referred.masks)
    assert everything[0].targets.referred.tolist() == [False, True, False]
    assert everything[1].targets.referred.tolist() == [True, True, True]


def test_expression_without_target_stays_itself(mevis_root: Path) -> None:
    for targets, num_tracks in zip(TARGETS, (0, 0, 3), strict=True):
        dataset = MeViSDataset(mevis_root, "valid_u", targets=targets, kinds=["none"])  # type: ignore[arg-type]
        sample = dataset[0]
        assert sample.expression == "a dog"
        assert sample.targets.masks.shape == (num_tracks, 8, 20, 30)
        assert sample.targets.boxes_cxcywh.shape == (num_tracks, 8, 4)
        assert not sample.targets.referred.any()
        assert len(collate_clips([sample]).targets) == 1


def test_evaluation_takes_whole_videos_and_decodes_them_once(
    mevis_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = MeViSDataset(mevis_root, "valid_u")
    opened: list[str] = []
    real_open = Image.open
    monkeypatch.setattr(
        Image, "open", lambda path, **kinds: opened.append(str(path)) or real_open(path, **kinds)
    )
    samples = [dataset[i] for i in range(len(dataset))]
    assert [s.sample_id for s in samples] == [
        "aa/0",
        "aa/1",
        "aa/2",
        "aa/3",
        "bb/0",
        "bb/1",
        "cc/0",
    ]
    assert len(opened) == len(set(opened)) == 14
    assert samples[0].expression == "the bright bar on the left"
    assert samples[0].expression_kind == "relation"
    assert samples[0].frame_ids[:4] == ["00005", "00010", "00015", "00025"]
    assert samples[0].original_size == (20, 30)
    frames = denormalise_frames(samples[0].frames)
    assert np.diff(frames[:, -1, -1, 2].astype(int)).min() > 0  # frame number is the blue channel


def test_single_frames_move_over_the_video_from_epoch_to_epoch(mevis_root: Path) -> None:
    dataset = MeViSDataset(mevis_root, "train", sampler=ClipSampler(1), sampling_step=4)
    assert dataset.sample_id(0) == "aa/0/0"
    assert dataset.sample_id(1) == "aa/0/4"
    seen: list[set[str]] = [set(), set()]
    for epoch in range(40):
        dataset.set_epoch(epoch)
        for index in (0, 1):
            seen[index].update(dataset[index].frame_ids)
    assert seen[0] == {"00005", "00010", "00015", "00025"}
    assert seen[1] == {"00030", "00035", "00040", "00060"}


def test_clips_keep_the_published_anchor_unless_asked(mevis_root: Path) -> None:
    fixed = MeViSDataset(mevis_root, "train", sampler=ClipSampler(2), sampling_step=8)
    moving = MeViSDataset(
        mevis_root, "train", sampler=ClipSampler(2), sampling_step=8, random_anchors=True
    )
    anchored = {True: 0, False: 0}
    for epoch in range(20):
        for dataset in (fixed, moving):
            dataset.set_epoch(epoch)
            anchored[dataset is fixed] += "00005" in dataset[0].frame_ids
    assert anchored[True] == 20
    assert anchored[False] < 20


def test_clips_of_directional_expressions_never_run_backwards(mevis_root: Path) -> None:
    sampler = ClipSampler(3, reverse_probability=1.0)
    dataset = MeViSDataset(mevis_root, "train", sampler=sampler, kinds=["direction", "appearance"])
    for index in range(len(dataset)):
        sample = dataset[index]
        forwards = sample.frame_ids == sorted(sample.frame_ids)
        assert forwards == (sample.expression_kind == "direction") or sample.video_id == "cc"


def test_selection_that_leaves_nothing_is_an_error(mevis_root: Path) -> None:
    with pytest.raises(DatasetError, match="no expression is left"):
        MeViSDataset(mevis_root, "train", kinds=["colour"])


def test_frames_of_different_sizes_are_an_error(mevis_root: Path) -> None:
    path = mevis_root / "valid_u" / "JPEGImages" / "aa" / "00010.jpg"
    Image.new("RGB", (31, 20)).save(path)
    with pytest.raises(DatasetError, match="different sizes"):
        MeViSDataset(mevis_root, "valid_u")[0]
