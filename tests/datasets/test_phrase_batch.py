import pytest
import torch

from rvos.datasets.attribute_batch import AugmentedAttributeFrames
from rvos.datasets.moving_shapes.attribute_frames import AttributeFrameDataset
from rvos.datasets.moving_shapes.writer import write_moving_shapes
from rvos.datasets.phrase_batch import PhraseClips, PhraseFrames, collate_phrase_clips


@pytest.fixture(scope="module")
def attribute_frames(tmp_path_factory: pytest.TempPathFactory) -> AttributeFrameDataset:
    root = tmp_path_factory.mktemp("phrases")
    write_moving_shapes(root, num_videos=2, progress=False)
    return AttributeFrameDataset(root, frame_step=8)


def phrase_frames(frames: AttributeFrameDataset, max_phrases: int = 6) -> PhraseFrames:
    return PhraseFrames(AugmentedAttributeFrames(frames, seed=0), 0, max_phrases)


def test_prompts_depend_on_seed_epoch_and_frame_alone(
    attribute_frames: AttributeFrameDataset,
) -> None:
    first, again = phrase_frames(attribute_frames), phrase_frames(attribute_frames)
    assert len(first) == 6
    assert [item.phrases for item in map(first.__getitem__, range(6))] == [
        item.phrases for item in map(again.__getitem__, range(6))
    ]
    again.set_epoch(1)
    assert again.epoch == 1
    assert first[2].phrases != again[2].phrases


def test_maps_are_those_of_the_mirrored_frame(attribute_frames: AttributeFrameDataset) -> None:
    augmented = AugmentedAttributeFrames(attribute_frames, seed=0)
    frames = PhraseFrames(augmented, 0)
    for index in range(len(frames)):
        item, (_, maps) = frames[index], augmented[index]
        assert torch.equal(item.frames[0], maps.frame)
        assert not (item.phrase_maps[:, 0, maps.foreground == 0] != 0).any()


def test_batches_keep_the_order_of_phrases(attribute_frames: AttributeFrameDataset) -> None:
    items = [phrase_frames(attribute_frames)[index] for index in (4, 1)]
    batch = collate_phrase_clips(items)
    assert batch.sample_ids == [item.sample_id for item in items]
    for prompt, maps, item in zip(batch.prompts, batch.phrase_maps, items, strict=True):
        assert [phrase.strip() for phrase in prompt.split(".")] == [*item.phrases, ""]
        assert len(maps) == len(item.phrases)


def test_clips_show_whole_tracks_and_judge_them(attribute_frames: AttributeFrameDataset) -> None:
    clips = PhraseClips(attribute_frames, seed=0, num_frames=4)
    assert len(clips) == 2
    for epoch in range(5):
        clips.set_epoch(epoch)
        clip = clips[epoch % 2]
        video = attribute_frames.videos[epoch % 2]
        assert clip.frames.shape == (4, 3, 128, 192)
        assert clip.judgements.shape == (len(video.tracks), len(clip.phrases))
        assert clip.objects.masks.shape == (len(video.tracks), 4, 128, 192)
        for number, judged in enumerate(clip.judgements):
            mask = clip.objects.masks[number]
            for maps, label in zip(clip.phrase_maps, judged, strict=True):
                assert (maps[mask] == label).all()
        assert torch.equal(clip.objects.present, clip.objects.masks.flatten(2).any(-1))


def test_clips_depend_on_seed_epoch_and_video_alone(
    attribute_frames: AttributeFrameDataset,
) -> None:
    first, again = (PhraseClips(attribute_frames, seed=0, num_frames=3) for _ in range(2))
    assert torch.equal(first[1].frames, again[1].frames)
    assert first[1].phrases == again[1].phrases
    again.set_epoch(1)
    assert first[1].phrases != again[1].phrases
