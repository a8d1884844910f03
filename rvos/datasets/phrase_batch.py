"""Clips with prompts of several phrases, in batches."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import Dataset

from rvos.datasets.attribute_batch import AugmentedAttributeFrames
from rvos.datasets.clip_sampler import EvenClipSampler
from rvos.datasets.epoch_counter import EpochCounter
from rvos.datasets.moving_shapes.attribute_frames import (
    AttributeFrame,
    AttributeFrameDataset,
)
from rvos.datasets.moving_shapes.phrase_draws import draw_action_phrases, draw_phrases
from rvos.datasets.moving_shapes.phrases import (
    Phrase,
    VisibleObject,
    judgement_table,
    phrase_map,
    video_objects,
    visible_objects,
)
from rvos.datasets.random_draws import sample_generator
from rvos.datasets.targets import mask_boxes_cxcywh
from rvos.structures import ClipTargets


@dataclass
class PhraseClip:
    """A clip, its objects, and phrases about them.

    Attributes:
        sample_id: Identifies the clip.
        frames: ``[T, 3, H, W]``, normalised with the ImageNet statistics.
        phrases: P phrases.
        phrase_maps: ``[P, T, H, W]``: 1 where a phrase is true, 0 where not, -100 where it is open.
        judgements: ``[N, P]``: the same of each object.
        objects: N objects; none is referred to.
    """

    sample_id: str
    frames: Float[Tensor, "t 3 h w"]
    phrases: list[str]
    phrase_maps: Int[Tensor, "p t h w"]
    judgements: Int[Tensor, "n p"]
    objects: ClipTargets


@dataclass
class PhraseBatch:
    """Clips of one size, each with a prompt.

    Attributes:
        sample_ids: B ids.
        frames: ``[B, T, 3, H, W]``.
        prompts: B prompts; the phrases of each end with a full stop.
        phrase_maps: B maps ``[P, T, H, W]`` of the phrases in order: 1 true, 0 false, -100 open.
        judgements: B times ``[N, P]``: the same of each object.
        objects: B times N objects.
    """

    sample_ids: list[str]
    frames: Float[Tensor, "b t 3 h w"]
    prompts: list[str]
    phrase_maps: list[Int[Tensor, "_p t h w"]]
    judgements: list[Int[Tensor, "_n _p"]]
    objects: list[ClipTargets]


class PhraseFrames(Dataset[PhraseClip]):
    """Writes phrases about frames.

    Args:
        frames: The frames.
        seed: Seed of all random draws, which depend on it, the epoch and the frame alone.
        max_phrases: Most phrases of a prompt.
        share_of_places: How many of the phrases also say where an object is, in [0, 1].
        share_of_actions: How many also say what it does; they are true of all that look so.

    >>> PhraseFrames(AugmentedAttributeFrames(AttributeFrameDataset("nowhere"), 0), 0)
    Traceback (most recent call last):
    rvos.datasets.errors.DatasetNotFoundError: nowhere/train/meta_expressions.json is missing: ...
    """

    def __init__(
        self,
        frames: AugmentedAttributeFrames,
        seed: int,
        max_phrases: int = 6,
        share_of_places: float = 0.0,
        share_of_actions: float = 0.0,
    ) -> None:
        self._frames = frames
        self._seed = seed
        self._max_phrases = max_phrases
        self._shares = share_of_places, share_of_actions

    @property
    def epoch(self) -> int:
        """The epoch that the random draws belong to."""
        return self._frames.epoch

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, before iterating.

        Args:
            epoch: Its number.
        """
        self._frames.set_epoch(epoch)

    def __len__(self) -> int:
        """Number of frames."""
        return len(self._frames)

    def __getitem__(self, index: int) -> PhraseClip:
        """Read a frame and write phrases about it.

        Args:
            index: Position in the data set.

        Returns:
            The frame with its phrases.
        """
        sample_id, frame = self._frames[index]
        generator = sample_generator(self._seed, self.epoch, f"{sample_id}/phrases")
        objects = visible_objects(frame)
        places, actions = self._shares
        phrases = draw_phrases(objects, self._max_phrases, places, generator, actions)
        return make_phrase_clip(sample_id, [frame], objects, phrases)


class PhraseClips(EpochCounter, Dataset[PhraseClip]):
    """Writes phrases about what objects look like and do, about clips of a video.

    Args:
        frames: The frames of whole videos.
        seed: Seed of all random draws, which depend on it, the epoch and the video alone.
        num_frames: Frames of a clip.
        max_phrases: Most phrases of a prompt.
        step: Distance of neighbouring frames; less in videos that are too short. The phrases speak
            of the whole video, so the clip should span most of it.

    >>> PhraseClips(AttributeFrameDataset("nowhere"), 0)
    Traceback (most recent call last):
    rvos.datasets.errors.DatasetNotFoundError: nowhere/train/meta_expressions.json is missing: ...
    """

    def __init__(
        self,
        frames: AttributeFrameDataset,
        seed: int,
        num_frames: int = 8,
        max_phrases: int = 4,
        step: int = 3,
    ) -> None:
        super().__init__()
        self._frames = frames
        self._seed = seed
        self._sampler = EvenClipSampler(num_frames, step, reverse_probability=0.0, min_step=step)
        self._max_phrases = max_phrases

    def __len__(self) -> int:
        """Number of videos."""
        return len(self._frames.videos)

    def __getitem__(self, index: int) -> PhraseClip:
        """Read a clip and write phrases about it.

        Args:
            index: Number of the video.

        Returns:
            The clip with its phrases.
        """
        video = self._frames.videos[index]
        generator = sample_generator(self._seed, self.epoch, f"{video.video_id}/clip")
        length = len(video.frames)
        anchor = int(generator.integers(length))
        indices = self._sampler(length, anchor, generator, reversible=False)
        clip = [self._frames.read(video, frame) for frame in indices]
        objects = video_objects(video)
        phrases = draw_action_phrases(objects, self._max_phrases, generator)
        return make_phrase_clip(video.video_id, clip, objects, phrases)


def make_phrase_clip(
    sample_id: str,
    frames: Sequence[AttributeFrame],
    objects: Sequence[VisibleObject],
    phrases: Sequence[Phrase],
) -> PhraseClip:
    """Put the frames, objects and phrases of a clip together.

    Args:
        sample_id: Identifies the clip.
        frames: T frames with their maps.
        objects: N objects.
        phrases: P phrases that judge them.

    Returns:
        The clip.
    """
    instance = torch.stack([frame.instance for frame in frames])
    numbers = torch.tensor([item.instance for item in objects], dtype=torch.int64)
    masks = instance == numbers[:, None, None, None]
    boxes = mask_boxes_cxcywh(masks)
    return PhraseClip(
        sample_id=sample_id,
        frames=torch.stack([frame.frame for frame in frames]),
        phrases=[phrase.text for phrase in phrases],
        phrase_maps=torch.stack([phrase_map(instance, objects, phrase) for phrase in phrases]),
        judgements=judgement_table(phrases, len(objects)),
        objects=ClipTargets(
            boxes_cxcywh=boxes,
            masks=masks,
            present=boxes[..., 2] > 0,
            referred=torch.zeros(len(objects), dtype=torch.bool),
        ),
    )


def collate_phrase_clips(items: Sequence[PhraseClip]) -> PhraseBatch:
    """Stack clips of one size and join their phrases to prompts.

    Args:
        items: B clips.

    Returns:
        The batch.

    >>> none = ClipTargets(torch.zeros(0, 1, 4), torch.zeros(0, 1, 4, 6, dtype=torch.bool),
    ...                    torch.zeros(0, 1, dtype=torch.bool), torch.zeros(0, dtype=torch.bool))
    >>> maps = torch.zeros(2, 1, 4, 6, dtype=torch.int64)
    >>> phrases = ["red box", "the star"]
    >>> item = PhraseClip("0", torch.zeros(1, 3, 4, 6), phrases, maps, maps[0, 0, :0, :2], none)
    >>> collate_phrase_clips([item]).prompts
    ['red box. the star.']
    """
    return PhraseBatch(
        sample_ids=[item.sample_id for item in items],
        frames=torch.stack([item.frames for item in items]),
        prompts=[" ".join(f"{phrase}." for phrase in item.phrases) for item in items],
        phrase_maps=[item.phrase_maps for item in items],
        judgements=[item.judgements for item in items],
        objects=[item.objects for item in items],
    )
