"""Ref-DAVIS17 (Khoreva et al. 2018): DAVIS videos, four expressions for every object."""

from pathlib import Path
from typing import ClassVar

from rvos.datasets.errors import DatasetError, UnpreparedDatasetError
from rvos.datasets.files import JSONObject
from rvos.datasets.ref_youtube_vos import RefYouTubeVOSDataset


class RefDAVIS17Dataset(RefYouTubeVOSDataset):
    """Ref-DAVIS17 as ``rvos data prepare ref_davis17`` leaves it, in Ref-YouTube-VOS' layout.

    Takes the arguments of :class:`RefYouTubeVOSDataset`; the splits are ``train`` and ``valid``.
    Expression ``4 k + a`` is annotator ``a``'s of a video's ``k``-th object: first annotator on the
    first frame and on the whole video, then the second one. Pixels of value 255, undecided in the
    annotation, belong to no object.

    Raises:
        UnpreparedDatasetError: If the folder holds the download as it is.

    >>> RefDAVIS17Dataset("nowhere", "valid")
    Traceback (most recent call last):
    rvos.datasets.errors.DatasetNotFoundError: nowhere/valid/JPEGImages is missing: ...
    """

    benchmark: ClassVar[str] = "Ref-DAVIS17"

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
