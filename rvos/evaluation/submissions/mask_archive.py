"""Ref-YouTube-VOS and MeViS: the masks of all expressions in one zip archive."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from rvos.datasets.preparation.progress import make_item_bar
from rvos.evaluation.prediction_mask import decode_label_map, read_label_file
from rvos.evaluation.prediction_source import FolderSource, PredictionSource
from rvos.evaluation.submissions.base import Submission, SubmissionError
from rvos.evaluation.submissions.expected_sample import ExpectedSample
from rvos.structures.predictions import VideoPrediction

# One date for all members, so that the same masks make the same archive.
_DATE = (1980, 1, 1, 0, 0, 0)
_ON_OBJECT = 255


class MaskArchive(Submission):
    """``[<server's folder>/]<video>/<expression id>/<frame>.png`` with 0 and 255.

    Every mask is checked on its way into the archive, and the archive is moved to its place when
    it is complete: it cannot be sent half done.

    Args:
        folder: Folder of the predictions.
        samples: All samples of the data set.
        server_folder: Folder at the root that the server wants, ``""`` for none.
        frame_size: Tells (height, width) of a video as it is on disk.
    """

    needs_tracks: ClassVar[bool] = False

    def __init__(
        self,
        folder: Path,
        samples: list[ExpectedSample],
        server_folder: str,
        frame_size: Callable[[str], tuple[int, int]],
    ) -> None:
        super().__init__(folder, samples)
        self.path = folder / "submission.zip"
        self._server_folder = server_folder
        self._frame_size = frame_size

    def holds(self, sample: ExpectedSample) -> bool:
        """Whether anything is needed besides the masks: nothing."""
        del sample
        return True

    def add(self, prediction: VideoPrediction) -> None:
        """Keep nothing; the masks themselves are archived."""
        del prediction

    def finish(self, show_progress: bool = False) -> Path:
        """Check and archive the masks.

        Args:
            show_progress: Draw a progress bar with the time left on stderr.

        Returns:
            The archive.

        Raises:
            PredictionError: If a mask is missing, damaged or of another size.
            SubmissionError: If a mask has other values than 0 and 255.
        """
        part = self.path.with_name(f".{self.path.name}.part")
        source = FolderSource(self.folder)
        sizes: dict[str, tuple[int, int]] = {}
        num_samples = len(self.samples)
        with (
            # PNG files do not become smaller.
            zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive,
            make_item_bar(self.path.name, num_samples, "expression", show_progress) as bar,
        ):
            for sample in self.samples.values():
                if sample.video_id not in sizes:
                    sizes[sample.video_id] = self._frame_size(sample.video_id)
                for path in sample.mask_paths(Path()):
                    data = read_submitted_mask(source, path.as_posix(), sizes[sample.video_id])
                    name = (Path(self._server_folder) / path).as_posix()
                    archive.writestr(zipfile.ZipInfo(name, _DATE), data)
                bar.update()
        part.replace(self.path)
        return self.path


def read_submitted_mask(source: PredictionSource, name: str, frame_size: tuple[int, int]) -> bytes:
    """Read a mask file as it is, if it is what the servers want.

    Args:
        source: The predictions.
        name: A PNG file.
        frame_size: (height, width) that it must have.

    Returns:
        The content of the file.

    Raises:
        PredictionError: If it is missing, damaged or of another size.
        SubmissionError: If it has a palette, or other values than 0 and 255.
    """
    data = read_label_file(source, name, frame_size)
    pixels = decode_label_map(data, source.place(name), frame_size)
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        mode = image.mode
    if mode != "L" or not np.isin(pixels, (0, _ON_OBJECT)).all():
        message = (
            f"{source.place(name)} has mode {mode} and values up to {pixels.max()}: the server "
            "wants mode L with 0 and 255; delete its folder and predict it again"
        )
        raise SubmissionError(message)
    return data
