"""Ref-DAVIS17 (Khoreva et al. 2018): DAVIS videos, four expressions for every object."""

from pathlib import Path
from typing import ClassVar, Unpack

import torch
from torch import Tensor

from rvos.datasets.clip_options import ClipOptions
from rvos.datasets.davis_text import ANNOTATORS
from rvos.datasets.errors import DatasetError, UnpreparedDatasetError
from rvos.datasets.files import JSONObject
from rvos.datasets.palette_masks import read_label_maps
from rvos.datasets.ref_youtube_vos import RefYouTubeVOSDataset
from rvos.structures.video import AnnotatedSequence, VideoSample


class RefDAVIS17Dataset(RefYouTubeVOSDataset):
    """Ref-DAVIS17 as ``rvos data prepare ref_davis17`` leaves it, in Ref-YouTube-VOS' layout.

    Takes the arguments of :class:`RefYouTubeVOSDataset`; the splits are ``train`` and ``valid``.
    Expression ``4 k + a`` is annotator ``a``'s of a video's ``k``-th object: first annotator on the
    first frame and on the whole video, then the second one. Pixels of value 255, undecided in the
    annotation, belong to no object. What a sample is scored with holds all objects of its sequence,
    unless the ids of the video's expressions are no numbers, as in other data of this layout.

    Raises:
        UnpreparedDatasetError: If the folder holds the download as it is.

    >>> RefDAVIS17Dataset("nowhere", "valid")
    Traceback (most recent call last):
    rvos.datasets.errors.DatasetNotFoundError: nowhere/valid/JPEGImages is missing: ...
    """

    benchmark: ClassVar[str] = "Ref-DAVIS17"

    def __init__(
        self, root: Path | str, split: str = "train", **options: Unpack[ClipOptions]
    ) -> None:
        super().__init__(root, split, **options)
        self._last_label_maps: tuple[tuple[str, list[str]], Tensor] | None = None

    def read_sample(self, index: int, epoch: int) -> VideoSample:
        """Read and augment one clip as an epoch sees it.

        Args:
            index: Position in the data set.
            epoch: The epoch that the random draws belong to.

        Returns:
            The sample.
        """
        sample = super().read_sample(index, epoch)
        if sample.annotation is not None:
            sample.annotation.sequence = self._annotated_sequence(index, sample)
        return sample

    def missing_frames_error(self, folder: Path) -> DatasetError:
        """Tell a download that was not converted from a wrong folder.

        Args:
            folder: Where the frames should be.

        Returns:
            The error.
        """
        if (self.root / "DAVIS").is_dir():
            return UnpreparedDatasetError(self.root, "ref_davis17")
        return super().missing_frames_error(folder)

    def listed_videos(self, split: str, entries: JSONObject) -> list[str]:
        """List every video of the split's file; a missing one is an error when it is read.

        Args:
            split: Not looked at.
            entries: The videos that the split's file lists.

        Returns:
            Their ids, sorted.
        """
        del split
        return sorted(entries)

    def _annotated_sequence(self, index: int, sample: VideoSample) -> AnnotatedSequence | None:
        video, expression, _ = self._locate(index)
        if not all(each.expression_id.isdecimal() for each in video.expressions):
            return None
        numbers = sorted(int(each.expression_id) for each in video.expressions)
        number = int(expression.expression_id)
        annotator = number % len(ANNOTATORS)
        of_annotator = [each for each in numbers if each % len(ANNOTATORS) == annotator]
        return AnnotatedSequence(
            label_maps=self._read_label_maps(sample),
            annotator=annotator,
            rank=of_annotator.index(number),
            num_expressions=len(of_annotator),
        )

    def _read_label_maps(self, sample: VideoSample) -> Tensor:
        """Read all objects; expressions of one video that follow each other share them."""
        key = (sample.video_id, sample.frame_ids)
        if self._last_label_maps is None or self._last_label_maps[0] != key:
            folder = self._masks_folder / sample.video_id
            paths = [folder / f"{frame_id}.png" for frame_id in sample.frame_ids]
            label_maps = torch.from_numpy(read_label_maps(paths, sample.original_size))
            self._last_label_maps = (key, label_maps)
        return self._last_label_maps[1]
