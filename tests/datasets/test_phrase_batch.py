import pytest
import torch

from rvos.datasets.attribute_batch import AugmentedAttributeFrames
from rvos.datasets.moving_shapes.attribute_frames import AttributeFrameDataset
from rvos.datasets.moving_shapes.writer import write_moving_shapes
from rvos.datasets.phrase_batch import PhraseFrames, collate_phrase_frames


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
        assert torch.equal(item.frame, maps.frame)
        assert not (item.phrase_maps[:, maps.foreground == 0] != 0).any()


def test_batches_keep_the_order_of_phrases(attribute_frames: AttributeFrameDataset) -> None:
    items = [phrase_frames(attribute_frames)[index] for index in (4, 1)]
    batch = collate_phrase_frames(items)
    assert batch.sample_ids == [item.sample_id for item in items]
    for prompt, maps, item in zip(batch.prompts, batch.phrase_maps, items, strict=True):
        assert [phrase.strip() for phrase in prompt.split(".")] == [*item.phrases, ""]
        assert len(maps) == len(item.phrases)
