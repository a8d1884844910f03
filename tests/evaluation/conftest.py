import dataclasses
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvos.cli import main
from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.writer import write_moving_shapes
from rvos.datasets.ref_youtube_vos import RefYouTubeVOSDataset


@pytest.fixture(scope="session")
def short_videos(tmp_path_factory: pytest.TempPathFactory) -> MeViSDataset:
    """Three videos of four frames, with all tracks."""
    root = tmp_path_factory.mktemp("short")
    preset = dataclasses.replace(HELD_OUT, name="short", num_frames=4)
    write_moving_shapes(root, split="test", num_videos=3, preset=preset, progress=False)
    return MeViSDataset(root, "test", targets="all_tracks")


@pytest.fixture(scope="session")
def mevis(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A split of MeViS, predictions below `pred` and what the official code made of them."""
    root = tmp_path_factory.mktemp("mevis")
    with zipfile.ZipFile(Path(__file__).parent / "data" / "mevis.zip") as archive:
        archive.extractall(root)
    return root


@pytest.fixture(scope="session")
def youtube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three validation videos of four frames in the layout of Ref-YouTube-VOS, with object ids."""
    root = tmp_path_factory.mktemp("youtube")
    preset = dataclasses.replace(HELD_OUT, name="short", num_frames=4)
    write_moving_shapes(
        root, "ref_youtube_vos", split="valid", num_videos=3, preset=preset, progress=False
    )
    return root


@pytest.fixture(scope="session")
def youtube_predictions(youtube: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each target, shifted by its expression's number of pixels."""
    folder = tmp_path_factory.mktemp("predictions")
    dataset = RefYouTubeVOSDataset(youtube, "valid")
    for video in dataset.videos:
        for shift, expression in enumerate(video.expressions):
            place = folder / "Annotations" / video.video_id / expression.expression_id
            place.mkdir(parents=True)
            for frame_id in video.frame_ids:
                path = youtube / "valid" / "Annotations" / video.video_id / f"{frame_id}.png"
                mask = np.array(Image.open(path)) == int(expression.track_ids[0])
                shifted = np.roll(mask, shift, axis=1).astype(np.uint8) * 255
                Image.fromarray(shifted).save(place / f"{frame_id}.png")
    return folder


EvaluateCommand = Callable[..., dict[str, float]]


@pytest.fixture
def evaluate_command(tmp_path: Path) -> EvaluateCommand:
    """Score predictions with `rvos evaluate`, and read the measures that it has written."""

    def run(benchmark: str, predictions: Path, root: Path, *more: str) -> dict[str, float]:
        output = tmp_path / "scores"
        options = ["--output", str(output), "--workers", "1", *more]
        assert main(["evaluate", benchmark, str(predictions), str(root), *options]) == 0
        content = json.loads((output / "scores.json").read_text())
        return {name: measure["value"] for name, measure in content["measures"].items()}

    return run
