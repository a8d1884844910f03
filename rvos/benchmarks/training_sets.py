"""The training clips of each benchmark, and its annotations as a first draft would hold them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from rvos.datamodules import (
    A2DSentencesDataModule,
    MeViSDataModule,
    RefCOCODataModule,
    RefDAVIS17DataModule,
    ReferringVideoDataModule,
    RefYouTubeVOSDataModule,
    VideoFolderDataModule,
)
from rvos.datasets.clip_dataset import ClipDataset

BenchmarkName = Literal[
    "mevis", "ref_youtube_vos", "ref_davis17", "a2d_sentences", "refcoco", "video_folder"
]

_DATAMODULES: Mapping[BenchmarkName, type[ReferringVideoDataModule]] = {
    "mevis": MeViSDataModule,
    "ref_youtube_vos": RefYouTubeVOSDataModule,
    "ref_davis17": RefDAVIS17DataModule,
    "a2d_sentences": A2DSentencesDataModule,
    "refcoco": RefCOCODataModule,
    "video_folder": VideoFolderDataModule,
}
_YOUTUBE_FILES = ("meta_expressions/train/meta_expressions.json", "train/meta.json")
_ANNOTATION_FILES: Mapping[BenchmarkName, tuple[str, ...]] = {
    "mevis": ("train/meta_expressions.json", "train/mask_dict.json"),
    "ref_youtube_vos": _YOUTUBE_FILES,
    "ref_davis17": _YOUTUBE_FILES,
    "a2d_sentences": ("a2d_sentences_single_frame_train_annotations.json",),
    "refcoco": tuple(
        f"{name}/instances_{name}_train.json" for name in ("refcoco", "refcoco+", "refcocog")
    ),
    "video_folder": ("train.json",),
}


def open_training_set(benchmark: BenchmarkName, root: Path) -> ClipDataset:
    """Open the training clips with the published recipe.

    Args:
        benchmark: Whose folder it is; ``refcoco`` stands for its three sets.
        root: The folder.

    Returns:
        The data set.

    Raises:
        DatasetError: If it is missing or wrong.
    """
    make: Any = _DATAMODULES[benchmark]
    dataset: ClipDataset = make(root).training_dataset()
    return dataset


def open_plainly(benchmark: BenchmarkName, root: Path) -> list[Any]:
    """Parse the annotation files of the training split, and keep what the parser returns.

    Args:
        benchmark: Whose folder it is.
        root: The folder.

    Returns:
        The content of each file that is there.
    """
    paths = [root / name for name in _ANNOTATION_FILES[benchmark]]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.is_file()]
