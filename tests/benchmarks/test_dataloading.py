"""Loading is measured with every number of workers, and the index in processes of its own."""

import multiprocessing
from functools import partial
from pathlib import Path

import pytest

from rvos.benchmarks.dataloading import DataLoadingRequest, measure_dataloading
from rvos.benchmarks.index_memory import measure_index
from rvos.benchmarks.mevis_sized import write_mevis_sized
from rvos.benchmarks.training_sets import open_plainly, open_training_set
from rvos.structures.errors import RvosError

REQUEST = DataLoadingRequest(batch_size=1, num_workers=(0, 1), num_batches=3, num_repeats=2)


def test_every_number_of_workers_and_every_stage_is_measured(tmp_path: Path) -> None:
    write_mevis_sized(tmp_path, num_videos=2, size=(48, 64))
    report = measure_dataloading("mevis", tmp_path, REQUEST)
    assert report.num_clips == 27
    assert list(report.times) == [0, 1]
    for num_workers, times in report.times.items():
        assert len(times.first_batch) == len(times.clips_per_second) == 2
        assert min(times.first_batch) > 0
        assert min(times.clips_per_second) > 0
        assert all((used > 0) == (num_workers > 0) for used in times.worker_bytes)
    stages = ["read frames", "read masks", "augment, normalise", "collate"]
    assert list(report.stages) == stages
    assert all(min(seconds) > 0 for seconds in report.stages.values())
    assert list(report.memory) == ["rvos", "plain"]
    assert not multiprocessing.active_children()


def test_a_mixture_of_images_has_no_stages_of_videos(refcoco_root: Path) -> None:
    request = DataLoadingRequest(batch_size=1, num_workers=(0,), num_batches=1, num_repeats=1)
    report = measure_dataloading("refcoco", refcoco_root, request)
    assert list(report.stages) == ["sample", "collate"]


def test_a_split_of_less_than_two_batches_is_refused(tmp_path: Path) -> None:
    write_mevis_sized(tmp_path, num_videos=1, size=(48, 64))
    with pytest.raises(RvosError, match=r"has 13 clips, but two batches need 14.*--batch-size"):
        measure_dataloading("mevis", tmp_path, DataLoadingRequest(batch_size=7))


def test_the_published_masks_are_not_copied_into_workers(tmp_path: Path) -> None:
    # So many that what else a new process copies hardly counts.
    write_mevis_sized(tmp_path, num_videos=240, size=(48, 64))
    packed = measure_index(partial(open_training_set, "mevis", tmp_path), 1)
    plain = measure_index(partial(open_plainly, "mevis", tmp_path), 1)
    assert packed.copied < plain.copied / 2
