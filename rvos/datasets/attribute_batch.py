"""Augmented single frames with the look of every pixel, in batches."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import Dataset

from rvos.datasets.epoch_counter import EpochCounter
from rvos.datasets.moving_shapes.attribute_frames import AttributeFrame, AttributeFrameDataset
from rvos.datasets.random_draws import sample_generator


@dataclass
class AttributeBatch:
    """Frames of one size and the class of every pixel; -100 where there is nothing to say.

    Attributes:
        sample_ids: B positions in the data set, as text.
        frames: ``[B, 3, H, W]``, normalised with the ImageNet statistics.
        foreground: ``[B, H, W]``, 1 on objects, 0 on background.
        shape: ``[B, H, W]``, class of the shape.
        colour: ``[B, H, W]``, class of the colour.
        size: ``[B, H, W]``, class of the size.
        texture: ``[B, H, W]``, class of the texture.
    """

    sample_ids: list[str]
    frames: Float[Tensor, "b 3 h w"]
    foreground: Int[Tensor, "b h w"]
    shape: Int[Tensor, "b h w"]
    colour: Int[Tensor, "b h w"]
    size: Int[Tensor, "b h w"]
    texture: Int[Tensor, "b h w"]


class AugmentedAttributeFrames(EpochCounter, Dataset[tuple[str, AttributeFrame]]):
    """Frames, mirrored half of the time and slightly changed in brightness and contrast.

    Args:
        frames: The frames.
        seed: Seed of all random draws, which depend on it, the epoch and the frame alone.
        augment: Switch; False gives the frames as they are.

    >>> AugmentedAttributeFrames(AttributeFrameDataset("nowhere"), seed=0)
    Traceback (most recent call last):
    rvos.datasets.errors.DatasetNotFoundError: nowhere/train/meta_expressions.json is missing: ...
    """

    def __init__(self, frames: AttributeFrameDataset, seed: int, augment: bool = True) -> None:
        super().__init__()
        self._frames = frames
        self._seed = seed
        self._augment = augment

    def __len__(self) -> int:
        """Number of frames."""
        return len(self._frames)

    def __getitem__(self, index: int) -> tuple[str, AttributeFrame]:
        """Read and augment one frame.

        Args:
            index: Position in the data set.

        Returns:
            Its id and the frame.
        """
        item = self._frames[index]
        if not self._augment:
            return str(index), item
        generator = sample_generator(self._seed, self.epoch, str(index))
        contrast, brightness = generator.uniform(0.9, 1.1), generator.uniform(-0.25, 0.25)
        item.frame = item.frame * contrast + brightness
        return str(index), mirror_frame(item) if generator.random() < 0.5 else item


def mirror_frame(item: AttributeFrame) -> AttributeFrame:
    """Flip a frame and its maps from left to right.

    Args:
        item: The frame.

    Returns:
        A new one.

    >>> maps = [torch.tensor([[0, 1]])] * 6
    >>> mirror_frame(AttributeFrame(torch.zeros(3, 1, 2), *maps)).shape.tolist()
    [[1, 0]]
    """
    return AttributeFrame(
        frame=item.frame.flip(-1),
        foreground=item.foreground.flip(-1),
        shape=item.shape.flip(-1),
        colour=item.colour.flip(-1),
        size=item.size.flip(-1),
        texture=item.texture.flip(-1),
        instance=item.instance.flip(-1),
    )


def collate_attribute_frames(items: Sequence[tuple[str, AttributeFrame]]) -> AttributeBatch:
    """Stack frames of one size.

    Args:
        items: B ids with their frames.

    Returns:
        The batch.

    >>> frame = AttributeFrame(torch.zeros(3, 4, 6), *[torch.zeros(4, 6, dtype=torch.int64)] * 6)
    >>> collate_attribute_frames([("0", frame), ("7", frame)]).frames.shape
    torch.Size([2, 3, 4, 6])
    """
    frames = [frame for _, frame in items]
    return AttributeBatch(
        sample_ids=[sample_id for sample_id, _ in items],
        frames=torch.stack([frame.frame for frame in frames]),
        foreground=torch.stack([frame.foreground for frame in frames]),
        shape=torch.stack([frame.shape for frame in frames]),
        colour=torch.stack([frame.colour for frame in frames]),
        size=torch.stack([frame.size for frame in frames]),
        texture=torch.stack([frame.texture for frame in frames]),
    )
