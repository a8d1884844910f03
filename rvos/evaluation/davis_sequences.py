"""The ground truth of DAVIS 2017 as the unsupervised protocol reads it."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from rvos.datasets.errors import DatasetNotFoundError, MaskSizeError
from rvos.datasets.files import read_frame, read_object_ids

_BENCHMARK = "Ref-DAVIS17"


class DavisSequences:
    """Label maps and frames of one split; 255 is void.

    Args:
        root: Folder that holds ``DAVIS``, or that folder itself.
        split: ``val`` or ``train``.

    Raises:
        DatasetNotFoundError: The list of the split or the annotations are not there.
    """

    def __init__(self, root: Path, split: str) -> None:
        folder = root / "DAVIS" if (root / "DAVIS").is_dir() else root
        self._annotations = folder / "Annotations_unsupervised" / "480p"
        self._images = folder / "JPEGImages" / "480p"
        listing = folder / "ImageSets" / "2017" / f"{split}.txt"
        for path in (listing, self._annotations):
            if not path.exists():
                raise DatasetNotFoundError(path, _BENCHMARK)
        self.names = tuple(dict.fromkeys(listing.read_text(encoding="utf-8").split()))

    def frame_ids(self, sequence: str) -> list[str]:
        """List the annotated frames.

        Args:
            sequence: Its name.

        Returns:
            Their names, in order.

        Raises:
            DatasetNotFoundError: There is none.
        """
        folder = self._annotations / sequence
        frame_ids = sorted(path.stem for path in folder.glob("*.png"))
        if not frame_ids:
            raise DatasetNotFoundError(folder / "00000.png", _BENCHMARK)
        return frame_ids

    def read_label_maps(self, sequence: str) -> UInt8[np.ndarray, "t h w"]:
        """Read all label maps of a sequence.

        Args:
            sequence: Its name.

        Returns:
            ``[T, H, W]``.

        Raises:
            DatasetError: A file is missing, damaged or of another size than the first.
        """
        maps: list[np.ndarray] = []
        for frame_id in self.frame_ids(sequence):
            path = self._annotations / sequence / f"{frame_id}.png"
            maps.append(read_object_ids(path))
            if maps[-1].shape != maps[0].shape:
                (height, width), (first_height, first_width) = maps[-1].shape, maps[0].shape
                raise MaskSizeError(str(path), (height, width), (first_height, first_width))
        return np.stack(maps)

    def read_label_map(self, sequence: str, frame_id: str) -> UInt8[np.ndarray, "h w"]:
        """Read one label map.

        Args:
            sequence: Its name.
            frame_id: The frame.

        Returns:
            ``[H, W]``.
        """
        return read_object_ids(self._annotations / sequence / f"{frame_id}.png")

    def read_image(self, sequence: str, frame_id: str) -> UInt8[np.ndarray, "h w 3"]:
        """Read one frame.

        Args:
            sequence: Its name.
            frame_id: The frame.

        Returns:
            ``[H, W, 3]``, RGB.
        """
        return read_frame(self._images / sequence / f"{frame_id}.jpg")
