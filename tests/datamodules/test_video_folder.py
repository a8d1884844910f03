import json
from pathlib import Path

import pytest

from rvos.datamodules.video_folder import VideoFolderDataModule
from rvos.datasets.errors import DatasetError


@pytest.fixture
def root(ref_youtube_vos_root: Path, tmp_path: Path) -> Path:
    """Videos of MovingShapes as one's own; `blind` tells nothing of the objects."""
    index = json.loads(
        (ref_youtube_vos_root / "meta_expressions/train/meta_expressions.json").read_text()
    )
    (tmp_path / "frames").symlink_to(ref_youtube_vos_root / "train" / "JPEGImages")
    (tmp_path / "masks").symlink_to(ref_youtube_vos_root / "train" / "Annotations")
    for split in ("train", "valid", "blind"):
        videos = {
            video: {
                "expressions": [
                    {"expression": item["exp"]}
                    | ({} if split == "blind" else {"objects": [item["obj_id"]]})
                    for item in entry["expressions"].values()
                ]
            }
            for video, entry in index["videos"].items()
        }
        (tmp_path / f"{split}.json").write_text(json.dumps({"videos": videos}))
    return tmp_path


def test_clips_are_as_long_as_the_distance_of_their_anchors(root: Path) -> None:
    data = VideoFolderDataModule(root, batch_size=2, num_workers=0, num_frames=4)
    data.setup("fit")
    dataset = data.training_dataset()
    assert len(dataset) == 3 * sum(len(video.expressions) for video in dataset.videos)
    batch = next(iter(data.train_dataloader()))
    assert batch.frames.shape[:3] == (2, 4, 3)
    assert min(min(size) for size in batch.clip_sizes) >= 288
    assert next(iter(data.val_dataloader())).frames.shape[:2] == (1, 12)


def test_single_frames(root: Path) -> None:
    data = VideoFolderDataModule(
        root, num_workers=0, num_frames=1, sampling_step=12, augmentation="moving_shapes"
    )
    data.setup("fit")
    assert next(iter(data.train_dataloader())).frames.shape == (1, 1, 3, 128, 192)


def test_a_split_without_masks_is_for_predict(root: Path) -> None:
    data = VideoFolderDataModule(root, num_workers=0, test_split="blind")
    data.setup("predict")
    assert len(data.predict_dataloader()) > 0
    with pytest.raises(DatasetError, match=r"'blind' has no masks.*predict"):
        data.setup("test")
