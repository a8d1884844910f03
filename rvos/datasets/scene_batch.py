"""What annotations alone say of a video: boxes, looks, and phrases about them; no images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

from rvos.datasets.clip_sampler import EvenClipSampler
from rvos.datasets.epoch_counter import EpochCounter
from rvos.datasets.moving_shapes.attribute_frames import (
    IGNORED_LABEL,
    AttributeFrameDataset,
    AttributeVideo,
)
from rvos.datasets.moving_shapes.lexicon import actor_words
from rvos.datasets.moving_shapes.phrase_draws import draw_actions, draw_phrases
from rvos.datasets.moving_shapes.phrases import (
    Phrase,
    judgement_table,
    video_objects,
)
from rvos.datasets.moving_shapes.vocabulary import COLOURS, SHAPES, SIZES, TEXTURES
from rvos.datasets.random_draws import sample_generator

_NUM_CLASSES = (len(SHAPES), len(COLOURS), len(SIZES), len(TEXTURES))
LOOK_FEATURES = sum(_NUM_CLASSES)


@dataclass
class Scene:
    """Objects of a frame or a clip, and phrases about them.

    Attributes:
        boxes_cxcywh: ``[N, T, 4]`` in [0, 1]; zeros where an object is absent.
        looks: ``[N, A]``: 1 at the classes of shape, colour, size and texture.
        phrases: P phrases.
        judgements: ``[N, P]``: 1 where a phrase is true of an object, 0 where not, -100 where open.
    """

    boxes_cxcywh: Float[Tensor, "n t 4"]
    looks: Float[Tensor, "n a"]
    phrases: list[str]
    judgements: Int[Tensor, "n p"]


@dataclass
class SceneSample:
    """A frame and a clip of one video.

    Attributes:
        sample_id: Identifies the video.
        frame: One frame, with phrases about looks and places.
        clip: A clip, with phrases about actions that are judged by the action alone.
        looks: Phrases about looks alone.
        actors: What the phrases of the clip say about looks, one for each.
    """

    sample_id: str
    frame: Scene
    clip: Scene
    looks: list[str]
    actors: list[str]


@dataclass
class Scenes:
    """Phrases about scenes of one length, padded to the largest number of objects.

    Attributes:
        boxes_cxcywh: ``[P, N, T, 4]`` in [0, 1], the scene of each phrase.
        looks: ``[P, N, A]``.
        valid_objects: ``[P, N]``, False on padding.
        phrases: P phrases.
        labels: ``[P, N]``: 1 where the phrase is true, 0 where not, -100 where open and on padding.
    """

    boxes_cxcywh: Float[Tensor, "p n t 4"]
    looks: Float[Tensor, "p n a"]
    valid_objects: Bool[Tensor, "p n"]
    phrases: list[str]
    labels: Int[Tensor, "p n"]


@dataclass
class SceneBatch:
    """Frames and clips of B videos.

    Attributes:
        sample_ids: B ids.
        frames: Single frames, with phrases about looks and places.
        clips: Clips, with phrases about actions.
        looks: Phrases about looks alone.
        actors: What the phrases of the clips say about looks, one for each.
    """

    sample_ids: list[str]
    frames: Scenes
    clips: Scenes
    looks: list[str]
    actors: list[str]


class SceneDataset(EpochCounter, Dataset[SceneSample]):
    """Reads boxes and looks from annotations and writes phrases about them.

    Args:
        frames: The frames of whole videos; only their masks are read.
        seed: Seed of all random draws, which depend on it, the epoch and the video alone.
        num_frames: Frames of a clip.
        step: Distance of a clip's frames; less in videos that are too short.
        max_phrases: Most phrases about a frame, about a clip, and about looks.
        share_of_places: How many of a frame's phrases say where an object is, in [0, 1].

    >>> SceneDataset(AttributeFrameDataset("nowhere"), 0)
    Traceback (most recent call last):
    rvos.datasets.errors.DatasetNotFoundError: nowhere/train/meta_expressions.json is missing: ...
    """

    def __init__(
        self,
        frames: AttributeFrameDataset,
        seed: int,
        num_frames: int = 8,
        step: int = 3,
        max_phrases: int = 2,
        share_of_places: float = 0.7,
    ) -> None:
        super().__init__()
        self._frames = frames
        self._seed = seed
        self._sampler = EvenClipSampler(num_frames, step, reverse_probability=0.0, min_step=step)
        self._max_phrases = max_phrases
        self._share_of_places = share_of_places

    def __len__(self) -> int:
        """Number of videos."""
        return len(self._frames.videos)

    def __getitem__(self, index: int) -> SceneSample:
        """Choose a frame and a clip of a video and write phrases about them.

        Args:
            index: Number of the video.

        Returns:
            The sample.
        """
        video = self._frames.videos[index]
        generator = sample_generator(self._seed, self.epoch, f"{video.video_id}/scene")
        length = len(video.frames)
        indices = self._sampler(length, int(generator.integers(length)), generator, False)
        frame = self._frame_scene(video, int(generator.integers(length)), generator)
        objects = video_objects(video)
        actions = draw_actions(objects, self._max_phrases, generator)
        looks = draw_phrases(objects, self._max_phrases, 0.0, generator)
        clip = _scene(self._frames.boxes_cxcywh(video, indices), video.labels, actions)
        actors = [" ".join(("the", *actor_words(phrase))) for phrase in clip.phrases]
        return SceneSample(video.video_id, frame, clip, [phrase.text for phrase in looks], actors)

    def _frame_scene(
        self, video: AttributeVideo, frame: int, generator: np.random.Generator
    ) -> Scene:
        boxes = self._frames.boxes_cxcywh(video, [frame])
        height, width = self._frames.frame_size(video)
        present = (boxes[:, 0, 2] > 0).nonzero().flatten().tolist()
        everything = video_objects(video)
        objects = [
            replace(
                everything[number],
                centre_xy=(float(boxes[number, 0, 0]) * width, float(boxes[number, 0, 1]) * height),
            )
            for number in present
        ]
        phrases = draw_phrases(objects, self._max_phrases, self._share_of_places, generator)
        return _scene(boxes[present], video.labels[present], phrases)


def _scene(
    boxes_cxcywh: Float[Tensor, "n t 4"], labels: Int[np.ndarray, "n 4"], phrases: Sequence[Phrase]
) -> Scene:
    return Scene(
        boxes_cxcywh,
        look_features(labels),
        [phrase.text for phrase in phrases],
        judgement_table(phrases, len(labels)),
    )


def look_features(labels: Int[np.ndarray, "n 4"]) -> Float[Tensor, "n a"]:
    """Mark the classes of objects.

    Args:
        labels: ``[N, 4]``, class of shape, colour, size and texture; -100 is open.

    Returns:
        ``[N, A]``, 1 at the classes, 0 elsewhere.

    >>> int(look_features(np.array([[0, 1, -100, 0]])).sum())
    3
    """
    columns = []
    for number, classes in zip(_NUM_CLASSES, labels.T, strict=True):
        columns.append(torch.from_numpy(classes[:, None] == np.arange(number)).float())
    return torch.cat(columns, dim=1)


def collate_scenes(items: Sequence[SceneSample]) -> SceneBatch:
    """Pad and stack samples.

    Args:
        items: B samples.

    Returns:
        The batch.

    >>> scene = Scene(torch.ones(2, 1, 4), torch.ones(2, 3), ["red box"], torch.zeros(2, 1).long())
    >>> collate_scenes([SceneSample("0", scene, scene, ["red box"], ["box"])]).looks
    ['red box']
    """
    return SceneBatch(
        sample_ids=[item.sample_id for item in items],
        frames=_stack([item.frame for item in items]),
        clips=_stack([item.clip for item in items]),
        looks=[phrase for item in items for phrase in item.looks],
        actors=[phrase for item in items for phrase in item.actors],
    )


def _stack(scenes: Sequence[Scene]) -> Scenes:
    repeats = torch.tensor([len(scene.phrases) for scene in scenes])

    def pad(tensors: list[Tensor], value: int = 0) -> Tensor:
        return pad_sequence(tensors, batch_first=True, padding_value=value)

    valid = pad([torch.ones(len(scene.looks), dtype=torch.bool) for scene in scenes])
    return Scenes(
        boxes_cxcywh=pad([scene.boxes_cxcywh for scene in scenes]).repeat_interleave(repeats, 0),
        looks=pad([scene.looks for scene in scenes]).repeat_interleave(repeats, 0),
        valid_objects=valid.repeat_interleave(repeats, 0),
        phrases=[phrase for scene in scenes for phrase in scene.phrases],
        labels=pad([said for scene in scenes for said in scene.judgements.T], IGNORED_LABEL),
    )
