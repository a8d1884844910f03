"""RefCOCO and RefCOCO+ (Yu et al. 2016), RefCOCOg (Mao et al. 2016): images with expressions.

The files that the index is read from are written by ``rvos data prepare SET ROOT``::

    coco/train2014/COCO_train2014_000000000009.jpg
    coco/refcoco/instances_refcoco_{train,val,testA,testB}.json
    coco/refcoco+/instances_refcoco+_{train,val,testA,testB}.json
    coco/refcocog/instances_refcocog_{train,val,test}.json
"""

from pathlib import Path

import numpy as np
import torch

from rvos.datasets.clip_dataset import ClipDataset
from rvos.datasets.errors import (
    DatasetError,
    DatasetNotFoundError,
    MaskSizeError,
    UnpreparedDatasetError,
)
from rvos.datasets.files import read_frame
from rvos.datasets.random_draws import sample_generator
from rvos.datasets.refcoco_files import RELEASES, RefCOCOName, converted_path
from rvos.datasets.refcoco_index import read_refcoco_index
from rvos.datasets.targets import clip_targets
from rvos.ops.rle import decode_mask
from rvos.structures.video import Annotation, VideoSample
from rvos.transforms.frames import normalise_frames
from rvos.transforms.pseudo_video import PseudoVideo
from rvos.transforms.video import ClipTransform


class RefCOCODataset(ClipDataset):
    """One split of one of the three sets; a clip of one frame per sentence.

    Every sentence refers to one object. Sentences that refer to a crowd are left out, as published:
    their run-length groups are no object. The name of the set is also the kind of its expressions,
    so that scores are listed per set.

    Args:
        root: Folder of COCO, with ``train2014``.
        name: ``refcoco``, ``refcoco+`` or ``refcocog``.
        split: One that the set has.
        pseudo_video: Makes a clip of several frames from the image, for joint training with videos;
            None for the image alone.
        transform: Augmentation of the clip; None keeps the frames as they are.
        max_images: Keep only the first images.
        seed: Seed of all random draws.

    Raises:
        DatasetNotFoundError: If ``train2014`` or the annotation file is missing.
        UnpreparedDatasetError: If the annotations are there, but not converted yet.
        MalformedAnnotationError: If the annotation file breaks the layout.
        DatasetError: If the set has no such split, or no sentence is left.

    >>> RefCOCODataset("nowhere", "refcocog", "val")
    Traceback (most recent call last):
    rvos.datasets.errors.DatasetNotFoundError: nowhere/train2014 is missing: ...
    """

    def __init__(
        self,
        root: Path | str,
        name: RefCOCOName = "refcoco",
        split: str = "train",
        pseudo_video: PseudoVideo | None = None,
        transform: ClipTransform | None = None,
        max_images: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.root = Path(root)
        self.name = name
        self.split = split
        self.has_annotations = True
        # An image alone is a pseudo-video of one frame.
        self._make_clip = PseudoVideo(1) if pseudo_video is None else pseudo_video
        self._transform = transform
        self._seed = seed
        self._images_folder = self.root / "train2014"
        if not self._images_folder.is_dir():
            raise DatasetNotFoundError(self._images_folder, RELEASES[name].title)
        self._annotations_path = _annotations_path(self.root, name, split)
        self.index = read_refcoco_index(self._annotations_path, max_images)
        if not len(self.index):
            message = (
                f"no sentence is left of {self._annotations_path} with {max_images=}: restore the "
                "file if it lists none"
            )
            raise DatasetError(message)
        self._last_image: tuple[int, np.ndarray] | None = None

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.index)

    def image_path(self, index: int) -> Path:
        """File of a sample's image.

        Args:
            index: Position of the sample.

        Returns:
            The path.
        """
        return self._images_folder / self.index.file_names[int(self.index.image_of[index])]

    def video_id(self, index: int) -> str:
        """Name of a sample's image.

        Args:
            index: Position of the sample.

        Returns:
            The file's name without ending.
        """
        return self.image_path(index).stem

    def sample_id(self, index: int) -> str:
        """Id of a sample.

        Args:
            index: Position of the sample.

        Returns:
            ``<image>/<id>``, where the id is that of the converted file.
        """
        return f"{self.video_id(index)}/{self.index.expression_ids[index]}"

    def read_sample(self, index: int, epoch: int) -> VideoSample:
        """Read and augment one image, or the clip made of it.

        Args:
            index: Position of the sample.
            epoch: The epoch that the random draws belong to.

        Returns:
            The sample.
        """
        sample_id = self.sample_id(index)
        generator = sample_generator(self._seed, epoch, sample_id)
        frame = self._read_image(index)
        masks = decode_mask(self.index.mask(index))[None]
        if masks.shape[1:] != frame.shape[:2]:
            source = f"{self._annotations_path}, image {self.index.expression_ids[index]},"
            raise MaskSizeError(source, masks.shape[1:], frame.shape[:2])
        annotation = None
        if self.keeps_annotations:
            box_xyxy = self.index.box_xyxy(index)
            annotation = Annotation(sample_id, torch.from_numpy(masks), True, box_xyxy)
        clip, position = self._make_clip(frame, masks, self.index.expressions[index], generator)
        if self._transform is not None:
            clip = self._transform(clip, generator)
        image = self.video_id(index)
        frame_ids = [f"{image}_variant"] * len(clip.frames)
        frame_ids[position] = image
        return VideoSample(
            sample_id=sample_id,
            video_id=image,
            expression=clip.expression,
            expression_kind=self.name,
            frame_ids=frame_ids,
            frames=normalise_frames(clip.frames),
            targets=clip_targets(clip.masks, torch.ones(1, dtype=torch.bool)),
            original_size=(frame.shape[0], frame.shape[1]),
            annotation=annotation,
        )

    def _read_image(self, index: int) -> np.ndarray:
        """Decode an image; sentences of one image that follow each other share the decoding."""
        image = int(self.index.image_of[index])
        if self._last_image is None or self._last_image[0] != image:
            self._last_image = (image, read_frame(self.image_path(index)))
        return self._last_image[1]


def _annotations_path(root: Path, name: RefCOCOName, split: str) -> Path:
    release = RELEASES[name]
    if split not in release.splits:
        message = f"{release.title} has no split {split!r}, only {', '.join(release.splits)}"
        raise DatasetError(message)
    path = converted_path(root, name, split)
    if not path.is_file() and (root / name / release.references).is_file():
        raise UnpreparedDatasetError(root, name)
    return path
