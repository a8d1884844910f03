import torch

from rvos.datasets.attribute_batch import (
    AugmentedAttributeFrames,
    collate_attribute_frames,
    mirror_frame,
)
from rvos.datasets.moving_shapes.attribute_frames import AttributeFrame, AttributeFrameDataset


def _frame(index: int) -> AttributeFrame:
    """The frame repeats the maps, so that both can be compared after mirroring."""
    generator = torch.Generator().manual_seed(index)
    label = torch.randint(0, 4, (4, 6), generator=generator)
    return AttributeFrame(label.expand(3, 4, 6).float(), *[label + k for k in range(6)])


class _Frames(AttributeFrameDataset):
    def __init__(self) -> None:
        """Read nothing."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> AttributeFrame:
        return _frame(index)


def _augmented(augment: bool = True) -> AugmentedAttributeFrames:
    return AugmentedAttributeFrames(_Frames(), 0, augment)


def test_maps_are_mirrored_with_the_frame_and_colours_change_evenly() -> None:
    mirrored = 0
    for index in range(12):
        sample_id, item = _augmented()[index]
        assert sample_id == str(index)
        flipped = bool((item.foreground == _frame(index).foreground.flip(-1)).all())
        mirrored += flipped
        original = mirror_frame(_frame(index)) if flipped else _frame(index)
        assert torch.equal(item.texture, original.texture)
        assert torch.equal(item.colour - item.shape, torch.ones_like(item.colour))
        order = item.frame.flatten().argsort()
        assert bool((original.frame.flatten()[order].diff() >= 0).all())
    assert 2 < mirrored < 10


def test_draws_depend_on_the_epoch() -> None:
    frames = _augmented()
    first = frames[3][1].frame
    frames.set_epoch(1)
    assert not torch.equal(frames[3][1].frame, first)
    frames.set_epoch(0)
    assert torch.equal(frames[3][1].frame, first)


def test_augmentation_can_be_switched_off() -> None:
    assert torch.equal(_augmented(augment=False)[5][1].frame, _frame(5).frame)


def test_batches_keep_the_order() -> None:
    batch = collate_attribute_frames([("7", _frame(7)), ("2", _frame(2))])
    assert batch.sample_ids == ["7", "2"]
    assert torch.equal(batch.size[1], _frame(2).size)
    assert torch.equal(batch.frames[0], _frame(7).frame)
