import pytest
import torch

from rvos.datasets.moving_shapes.attribute_frames import AttributeFrameDataset
from rvos.datasets.moving_shapes.phrases import visible_objects
from rvos.datasets.moving_shapes.writer import write_moving_shapes
from rvos.datasets.scene_batch import SceneDataset, collate_scenes
from rvos.datasets.targets import mask_boxes_cxcywh


@pytest.fixture(scope="module")
def attribute_frames(tmp_path_factory: pytest.TempPathFactory) -> AttributeFrameDataset:
    root = tmp_path_factory.mktemp("scenes")
    write_moving_shapes(root, num_videos=3, progress=False)
    return AttributeFrameDataset(root)


def test_boxes_are_those_of_the_masks(attribute_frames: AttributeFrameDataset) -> None:
    video = attribute_frames.videos[0]
    boxes = attribute_frames.boxes_cxcywh(video, [3, 20])
    for position, frame in enumerate((3, 20)):
        instance = attribute_frames.read(video, frame).instance
        assert attribute_frames.frame_size(video) == instance.shape
        for number in range(len(video.tracks)):
            expected = mask_boxes_cxcywh(instance == number + 1)
            torch.testing.assert_close(boxes[number, position], expected)


def test_scenes_depend_on_seed_epoch_and_video_alone(
    attribute_frames: AttributeFrameDataset,
) -> None:
    first, again, other = (SceneDataset(attribute_frames, seed) for seed in (0, 0, 1))
    assert first[1].clip.phrases == again[1].clip.phrases
    assert torch.equal(first[1].clip.boxes_cxcywh, again[1].clip.boxes_cxcywh)
    assert first[1].frame.phrases != other[1].frame.phrases
    again.set_epoch(1)
    assert again.epoch == 1
    assert first[1].clip.phrases != again[1].clip.phrases


def test_frames_list_what_they_show_and_clips_every_object(
    attribute_frames: AttributeFrameDataset,
) -> None:
    scenes = SceneDataset(attribute_frames, seed=0, num_frames=5, step=2)
    for epoch in range(8):
        scenes.set_epoch(epoch)
        video, sample = attribute_frames.videos[epoch % 3], scenes[epoch % 3]
        assert sample.clip.boxes_cxcywh.shape == (len(video.tracks), 5, 4)
        assert sample.clip.judgements.shape == (len(video.tracks), len(sample.clip.phrases))
        assert (sample.frame.boxes_cxcywh[:, 0, 2] > 0).all()
        assert sample.frame.judgements.shape[0] == len(sample.frame.boxes_cxcywh)
        assert sample.frame.looks.sum(1).ge(3).all()


def test_looks_are_those_that_pixels_show(attribute_frames: AttributeFrameDataset) -> None:
    video = attribute_frames.videos[1]
    seen = visible_objects(attribute_frames.read(video, 12))
    scenes = SceneDataset(attribute_frames, seed=0)
    of_video = scenes[1].clip.looks
    for item in seen:
        assert of_video[item.instance - 1].sum() == 4 - (item.look.size is None)


def test_every_phrase_gets_its_scene_and_padding_is_open(
    attribute_frames: AttributeFrameDataset,
) -> None:
    samples = [SceneDataset(attribute_frames, seed=0)[index] for index in range(3)]
    batch = collate_scenes(samples)
    for scenes, originals in (
        (batch.frames, [sample.frame for sample in samples]),
        (batch.clips, [sample.clip for sample in samples]),
    ):
        rows = [(scene, number) for scene in originals for number in range(len(scene.phrases))]
        assert scenes.phrases == [scene.phrases[number] for scene, number in rows]
        assert not scenes.looks[~scenes.valid_objects].any()
        assert (scenes.labels[~scenes.valid_objects] == -100).all()
        for row, (scene, number) in enumerate(rows):
            real = scenes.valid_objects[row]
            assert torch.equal(scenes.boxes_cxcywh[row][real], scene.boxes_cxcywh)
            assert torch.equal(scenes.looks[row][real], scene.looks)
            assert torch.equal(scenes.labels[row][real], scene.judgements[:, number])


def test_an_action_is_that_of_some_object(attribute_frames: AttributeFrameDataset) -> None:
    scenes = SceneDataset(attribute_frames, seed=0)
    for epoch in range(10):
        scenes.set_epoch(epoch)
        assert (scenes[epoch % 3].clip.judgements == 1).any(0).all()


def test_actors_are_named_for_every_phrase_of_a_clip(
    attribute_frames: AttributeFrameDataset,
) -> None:
    batch = collate_scenes([SceneDataset(attribute_frames, seed=0)[index] for index in range(3)])
    assert len(batch.actors) == len(batch.clips.phrases)
    for actor, phrase in zip(batch.actors, batch.clips.phrases, strict=True):
        assert set(actor.split()) - {"the"} <= set(phrase.split())
