"""MovingShapes in the layouts of the benchmarks, through the data sets' own readers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rvos.datasets.a2d_sentences import A2DSentencesDataset
from rvos.datasets.checking import check_benchmark
from rvos.datasets.jhmdb_sentences import JHMDBSentencesDataset
from rvos.datasets.moving_shapes.described_objects import expressions_by_object
from rvos.datasets.moving_shapes.errors import MovingShapesError
from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.records import describe
from rvos.datasets.moving_shapes.video import make_video
from rvos.datasets.moving_shapes.vocabulary import BENCHMARK_LAYOUTS
from rvos.datasets.moving_shapes.writer import FOLDER_OF_SPLIT, write_moving_shapes
from rvos.datasets.ref_davis17 import RefDAVIS17Dataset
from rvos.datasets.refcoco import RefCOCODataset

PRESET = replace(HELD_OUT, num_frames=4)
READERS: dict[str, Callable[[Path, str], Any]] = {
    "ref_davis17": RefDAVIS17Dataset,
    "a2d_sentences": A2DSentencesDataset,
    "jhmdb_sentences": JHMDBSentencesDataset,
    "refcoco": lambda root, split: RefCOCODataset(root, "refcoco", split),
}


def write(root: Path, layout: Any, num_videos: int = 2) -> Path:
    for split in FOLDER_OF_SPLIT[layout]:
        write_moving_shapes(
            root, layout=layout, split=split, num_videos=num_videos, preset=PRESET, progress=False
        )
    return root


@pytest.mark.parametrize("layout", BENCHMARK_LAYOUTS)
def test_deep_check_finds_no_fault(tmp_path: Path, layout: str) -> None:
    root = write(tmp_path, layout)
    splits = [name for name in FOLDER_OF_SPLIT[layout].values() if name not in ("test", "long")]  # type: ignore[index]
    if layout in READERS:
        splits = list(FOLDER_OF_SPLIT[layout].values())  # type: ignore[index]
    report = check_benchmark(layout, root, splits, is_deep=True)
    assert report.faults == ()
    assert all(
        row.counts["expressions" if "expressions" in row.counts else "samples"]
        for row in report.rows
    )


@pytest.mark.parametrize("layout", READERS)
def test_readers_see_what_the_world_says(tmp_path: Path, layout: str) -> None:
    root = write(tmp_path, layout)
    for split, folder in FOLDER_OF_SPLIT[layout].items():  # type: ignore[index]
        known: dict[str, list[np.ndarray]] = {}
        for index in range(2):
            video = make_video(PRESET, split, 0, index)
            rendered = video.render()
            for object_id, texts in expressions_by_object(describe(video, rendered, index)).items():
                for text in texts:
                    masks = rendered.instances == object_id
                    known.setdefault(text, []).append(masks)
        dataset = READERS[layout](root, folder)
        assert len(dataset) > 0
        for index in range(len(dataset)):
            sample = dataset[index]
            found = sample.targets.masks[0].numpy()
            shown = found.any((1, 2))
            assert any(
                any(np.array_equal(found[t], mask) for mask in masks)
                for masks in known[sample.expression]
                for t in np.flatnonzero(shown)
            )


@pytest.mark.parametrize("layout", READERS)
def test_more_videos_and_other_splits_are_added(tmp_path: Path, layout: str) -> None:
    write(tmp_path, layout, num_videos=1)
    folder = next(iter(FOLDER_OF_SPLIT[layout].values()))  # type: ignore[index]
    before = len(READERS[layout](tmp_path, folder))
    write(tmp_path, layout, num_videos=3)
    assert len(READERS[layout](tmp_path, folder)) > before
    assert check_benchmark(layout, tmp_path, [folder]).faults == ()


@pytest.mark.parametrize("layout", READERS)
def test_data_of_others_are_not_touched(tmp_path: Path, layout: Any) -> None:
    (tmp_path / "mine").write_text("mine")
    split = next(iter(FOLDER_OF_SPLIT[layout]))
    with pytest.raises(MovingShapesError, match="is not empty and was not written"):
        write_moving_shapes(tmp_path, layout=layout, split=split, num_videos=1, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_split_that_a_benchmark_has_not(tmp_path: Path) -> None:
    with pytest.raises(MovingShapesError, match="no split valid: choose of train, test"):
        write_moving_shapes(tmp_path, layout="a2d_sentences", split="valid", num_videos=1)
    assert list(tmp_path.iterdir()) == []
