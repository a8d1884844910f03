"""Single frames with prompts of several phrases, in batches."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import Dataset

from rvos.datasets.attribute_batch import AugmentedAttributeFrames
from rvos.datasets.moving_shapes.attribute_frames import IGNORED_LABEL
from rvos.datasets.moving_shapes.phrases import draw_phrases, phrase_map, visible_objects
from rvos.datasets.random_draws import sample_generator
from rvos.datasets.targets import mask_boxes_cxcywh
from rvos.structures import ClipTargets


@dataclass
class PhraseFrame:
    """A frame, its objects, and phrases about them.

    Attributes:
        sample_id: Identifies the frame.
        frame: ``[3, H, W]``, normalised with the ImageNet statistics.
        phrases: P phrases.
        phrase_maps: ``[P, H, W]``: 1 where a phrase is true, 0 where not, -100 where it is open.
        judgements: ``[N, P]``: the same of each object.
        objects: N objects of this one frame; none is referred to.
    """

    sample_id: str
    frame: Float[Tensor, "3 h w"]
    phrases: list[str]
    phrase_maps: Int[Tensor, "p h w"]
    judgements: Int[Tensor, "n p"]
    objects: ClipTargets


@dataclass
class PhraseBatch:
    """Frames of one size, each with a prompt.

    Attributes:
        sample_ids: B ids.
        frames: ``[B, 3, H, W]``.
        prompts: B prompts; the phrases of each end with a full stop.
        phrase_maps: B maps ``[P, H, W]`` of the phrases in their order: 1 true, 0 false, -100 open.
        judgements: B times ``[N, P]``: the same of each object.
        objects: B times N objects of one frame.
    """

    sample_ids: list[str]
    frames: Float[Tensor, "b 3 h w"]
    prompts: list[str]
    phrase_maps: list[Int[Tensor, "_p h w"]]
    judgements: list[Int[Tensor, "_n _p"]]
    objects: list[ClipTargets]


class PhraseFrames(Dataset[PhraseFrame]):
    """Writes phrases about frames.

    Args:
        frames: The frames.
        seed: Seed of all random draws, which depend on it, the epoch and the frame alone.
        max_phrases: Most phrases of a prompt.
        share_of_places: How many of the phrases also say where an object is, in [0, 1].

    >>> from rvos.datasets.moving_shapes.attribute_frames import AttributeFrameDataset
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
    ) -> None:
        self._frames = frames
        self._seed = seed
        self._max_phrases = max_phrases
        self._share_of_places = share_of_places

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

    def __getitem__(self, index: int) -> PhraseFrame:
        """Read a frame and write phrases about it.

        Args:
            index: Position in the data set.

        Returns:
            The frame with its phrases.
        """
        sample_id, frame = self._frames[index]
        generator = sample_generator(self._seed, self.epoch, f"{sample_id}/phrases")
        objects = visible_objects(frame)
        phrases = draw_phrases(objects, self._max_phrases, self._share_of_places, generator)
        judgements = torch.tensor(
            [
                [IGNORED_LABEL if said is None else int(said) for said in phrase.judgements]
                for phrase in phrases
            ]
        )
        instances = torch.tensor([item.instance for item in objects], dtype=torch.int64)
        masks = (frame.instance == instances[:, None, None]).unsqueeze(1)
        return PhraseFrame(
            sample_id=sample_id,
            frame=frame.frame,
            phrases=[phrase.text for phrase in phrases],
            phrase_maps=torch.stack([phrase_map(frame.instance, objects, p) for p in phrases]),
            judgements=judgements.view(len(phrases), len(objects)).T.long(),
            objects=ClipTargets(
                boxes_cxcywh=mask_boxes_cxcywh(masks),
                masks=masks,
                present=torch.ones(len(objects), 1, dtype=torch.bool),
                referred=torch.zeros(len(objects), dtype=torch.bool),
            ),
        )


def collate_phrase_frames(items: Sequence[PhraseFrame]) -> PhraseBatch:
    """Stack frames of one size and join their phrases to prompts.

    Args:
        items: B frames.

    Returns:
        The batch.

    >>> none = ClipTargets(torch.zeros(0, 1, 4), torch.zeros(0, 1, 4, 6, dtype=torch.bool),
    ...                    torch.zeros(0, 1, dtype=torch.bool), torch.zeros(0, dtype=torch.bool))
    >>> maps = torch.zeros(2, 4, 6, dtype=torch.int64)
    >>> phrases = ["red box", "the star"]
    >>> item = PhraseFrame("0", torch.zeros(3, 4, 6), phrases, maps, maps[0, :0, :2], none)
    >>> collate_phrase_frames([item]).prompts
    ['red box. the star.']
    """
    return PhraseBatch(
        sample_ids=[item.sample_id for item in items],
        frames=torch.stack([item.frame for item in items]),
        prompts=[" ".join(f"{phrase}." for phrase in item.phrases) for item in items],
        phrase_maps=[item.phrase_maps for item in items],
        judgements=[item.judgements for item in items],
        objects=[item.objects for item in items],
    )
