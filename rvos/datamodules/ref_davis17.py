"""Ref-DAVIS17 for the Trainer."""

from pathlib import Path
from typing import Any, ClassVar

from rvos.datamodules.ref_youtube_vos import RefYouTubeVOSDataModule
from rvos.datasets.ref_davis17 import RefDAVIS17Dataset
from rvos.datasets.ref_youtube_vos import RefYouTubeVOSDataset


class RefDAVIS17DataModule(RefYouTubeVOSDataModule):
    """Ref-DAVIS17, converted, with the recipe of Ref-YouTube-VOS; ``valid`` has masks.

    Args:
        root: Folder of the benchmark.
        validation_split: Split to validate on; None for none.
        **settings: Those of :class:`RefYouTubeVOSDataModule`.

    >>> RefDAVIS17DataModule(Path("data"), num_frames=3).validation_split
    'valid'
    """

    dataset_class: ClassVar[type[RefYouTubeVOSDataset]] = RefDAVIS17Dataset

    def __init__(self, root: Path, validation_split: str | None = "valid", **settings: Any) -> None:
        super().__init__(root, validation_split=validation_split, **settings)
