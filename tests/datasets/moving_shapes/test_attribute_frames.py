"""Every pixel of an object carries its look."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rvos.datasets.errors import DatasetNotFoundError, MalformedAnnotationError, MaskSizeError
from rvos.datasets.moving_shapes.attribute_frames import IGNORED_LABEL, AttributeFrameDataset
from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.video import make_video
from rvos.datasets.moving_shapes.vocabulary import COLOURS, SHAPES, SIZES, TEXTURES
from rvos.datasets.moving_shapes.writer import write_moving_shapes

PRESET = replace(HELD_OUT, num_frames=6)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("moving_shapes")
    write_moving_shapes(root, num_videos=4, preset=PRESET, progress=False)
    return root


def test_maps_agree_with_the_world(root: Path) -> None:
    dataset = AttributeFrameDataset(root)
    assert len(dataset) == 4 * 6
    videos = {v.video_id: v for v in (make_video(PRESET, "train", 0, i) for i in range(4))}
    for number, video_id in enumerate(sorted(videos)):
        video = videos[video_id]
        sample = dataset[6 * number + 3]
        instances = torch.from_numpy(video.render().instances[3])
        assert (sample.foreground == (instances > 0)).all()
        for item in video.world.objects:
            mask = instances == item.object_id
            if not mask.any():
                continue
            look = item.appearance
            size = IGNORED_LABEL if look.size == "changing" else SIZES.index(look.size)
            assert sample.shape[mask].unique().tolist() == [SHAPES.index(look.shape)]
            assert sample.colour[mask].unique().tolist() == [COLOURS.index(look.colour)]
            assert sample.texture[mask].unique().tolist() == [TEXTURES.index(look.texture)]
            assert sample.size[mask].unique().tolist() == [size]
        for labels in (sample.shape, sample.colour, sample.texture, sample.size):
            assert (labels[instances == 0] == IGNORED_LABEL).all()


def test_frames_are_normalised(root: Path) -> None:
    frame = AttributeFrameDataset(root)[0].frame
    assert frame.shape == (3, 128, 192)
    assert frame.dtype == torch.float32
    assert -2.2 < float(frame.min()) < float(frame.max()) < 2.7


def test_fewer_videos_and_frames(root: Path) -> None:
    assert len(AttributeFrameDataset(root, max_videos=2, frame_step=4)) == 2 * 2


def test_missing_split(root: Path) -> None:
    with pytest.raises(DatasetNotFoundError):
        AttributeFrameDataset(root, "valid_u")


def test_annotations_without_objects(root: Path, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    index = json.loads((root / "train/meta_expressions.json").read_text())
    del next(iter(index["videos"].values()))["objects"]
    (tmp_path / "train/meta_expressions.json").write_text(json.dumps(index))
    with pytest.raises(MalformedAnnotationError, match="objects"):
        AttributeFrameDataset(tmp_path)


def test_mask_of_another_size(root: Path, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train/JPEGImages").symlink_to(root / "train/JPEGImages")
    for name in ("meta_expressions.json", "mask_dict.json"):
        text = (root / "train" / name).read_text()
        (tmp_path / "train" / name).write_text(text.replace("[128,192]", "[192,128]"))
    with pytest.raises(MaskSizeError, match="192x128"):
        AttributeFrameDataset(tmp_path)[3]
