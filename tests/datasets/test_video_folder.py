import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from rvos.datasets.clip_sampler import ClipSampler
from rvos.datasets.errors import DatasetError, FrameNotFoundError, MaskSizeError
from rvos.datasets.ref_youtube_vos import RefYouTubeVOSDataset
from rvos.datasets.video_folder import VideoFolderDataset
from rvos.datasets.video_folder_index import VideoFolderError
from rvos.ops.rle import encode_mask


@pytest.fixture
def twin(ref_youtube_vos_root: Path, tmp_path: Path) -> Path:
    """The training videos of the benchmark as one's own: once with PNGs, once with run lengths."""
    source = ref_youtube_vos_root / "train"
    index = json.loads(
        (ref_youtube_vos_root / "meta_expressions/train/meta_expressions.json").read_text()
    )
    root = tmp_path / "own"
    root.mkdir()
    (root / "frames").symlink_to(source / "JPEGImages")
    (root / "masks").symlink_to(source / "Annotations")
    videos = {
        video: {
            "expressions": [
                {"expression": item["exp"], "objects": [int(item["obj_id"])]}
                for item in entry["expressions"].values()
            ]
        }
        for video, entry in index["videos"].items()
    }
    (root / "train.json").write_text(json.dumps({"videos": videos}))
    for video, entry in index["videos"].items():
        pngs = [source / "Annotations" / video / f"{frame}.png" for frame in entry["frames"]]
        ids = np.stack([np.array(Image.open(path)) for path in pngs])
        videos[video]["masks"] = {
            str(k): [
                {"size": list(frame.shape), "counts": encode_mask(frame == k).counts.decode()}
                if (frame == k).any()
                else None
                for frame in ids
            ]
            for k in range(1, int(ids.max()) + 1)
        }
    (root / "lengths.json").write_text(json.dumps({"videos": videos}))
    return root


@pytest.mark.parametrize("split", ["train", "lengths"])
def test_clips_equal_those_of_the_benchmark(
    ref_youtube_vos_root: Path, twin: Path, split: str
) -> None:
    options = {"sampler": ClipSampler(3), "sampling_step": 2}
    expected = RefYouTubeVOSDataset(ref_youtube_vos_root, "train", **options)  # type: ignore[arg-type]
    dataset = VideoFolderDataset(twin, split, **options)  # type: ignore[arg-type]
    assert len(dataset) == len(expected) > 5
    for index in range(len(expected)):
        first, second = expected[index], dataset[index]
        assert first.sample_id == second.sample_id
        assert first.frame_ids == second.frame_ids
        assert torch.equal(first.frames, second.frames)
        assert torch.equal(first.targets.masks, second.targets.masks)


def test_every_object_can_be_a_target(twin: Path) -> None:
    dataset = VideoFolderDataset(twin, "lengths", targets="all_tracks")
    assert dataset[0].targets.referred.tolist() == [True, False, False]


def test_no_target_stays_no_target(twin: Path) -> None:
    content = json.loads((twin / "train.json").read_text())
    content["videos"] = {"aa": {"expressions": [{"expression": "a dog", "objects": []}]}}
    (twin / "none.json").write_text(json.dumps(content))
    sample = VideoFolderDataset(twin, "none")[0]
    assert sample.targets.masks.shape == (0, 8, 20, 30)
    assert VideoFolderDataset(twin, "none").has_annotations


def test_wrong_masks_are_named(twin: Path) -> None:
    content = json.loads((twin / "lengths.json").read_text())
    content["videos"]["aa"]["masks"]["1"][0] = {"size": [4, 4], "counts": "`0"}
    (twin / "lengths.json").write_text(json.dumps(content))
    with pytest.raises(MaskSizeError, match="object 1 of video aa, is 4x4"):
        VideoFolderDataset(twin, "lengths")[0]
    content["videos"]["aa"]["masks"]["1"][0] = {"size": [20, 30], "counts": "5"}
    (twin / "lengths.json").write_text(json.dumps(content))
    with pytest.raises(VideoFolderError, match=r"object 1, frame 0 of video aa: .* cover 5 pixels"):
        VideoFolderDataset(twin, "lengths")[0]
    (twin / "masks" / "aa" / "00005.png").unlink()
    with pytest.raises(FrameNotFoundError, match=r"masks/aa/00005\.png"):
        VideoFolderDataset(twin, "train")[0]


def test_an_empty_choice_is_an_error(twin: Path) -> None:
    with pytest.raises(DatasetError, match="no expression is left"):
        VideoFolderDataset(twin, "train", kinds=["motion"])
