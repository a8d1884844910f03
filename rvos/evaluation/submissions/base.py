"""What all submissions have in common."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from rvos.evaluation.submissions.expected_sample import ExpectedSample
from rvos.structures.errors import RvosError
from rvos.structures.predictions import TrackPredictions, VideoPrediction


class SubmissionError(RvosError):
    """Predictions cannot be made into what the benchmark wants."""


class Submission(ABC):
    """One file or set of folders that is made of the predictions of one data set.

    Predictions come one by one, from several processes and in several runs; each leaves what is
    needed of it on disk. Once all are there, one process finishes the submission.

    Args:
        folder: Folder of the predictions, with masks in ``<video>/<expression id>/<frame>.png``.
        samples: All samples of the data set.

    Attributes:
        needs_tracks: Whether all tracks are needed, not only the masks.
    """

    needs_tracks: ClassVar[bool]

    def __init__(self, folder: Path, samples: list[ExpectedSample]) -> None:
        self.folder = folder
        self.samples = {sample.sample_id: sample for sample in samples}

    @abstractmethod
    def holds(self, sample: ExpectedSample) -> bool:
        """Whether all that is needed of a sample besides its masks is on disk.

        Args:
            sample: One of the samples.

        Returns:
            True if so.
        """

    @abstractmethod
    def add(self, prediction: VideoPrediction) -> None:
        """Keep what is needed of a prediction, whole or not at all.

        Args:
            prediction: Of one of the samples.
        """

    @abstractmethod
    def finish(self, show_progress: bool = False) -> Path:
        """Make the submission of the predictions of all samples.

        Args:
            show_progress: Draw a progress bar with the time left on stderr.

        Returns:
            What to give to ``rvos evaluate`` or to send.

        Raises:
            SubmissionError: If a prediction is missing or not what it should be.
        """


def tracks_of(prediction: VideoPrediction) -> TrackPredictions:
    """Take the tracks of a prediction.

    Args:
        prediction: From a task that keeps them.

    Returns:
        The tracks.

    Raises:
        SubmissionError: If it has none.
    """
    if prediction.tracks is None:
        message = f"{prediction.sample_id} was predicted without its tracks; predict it again"
        raise SubmissionError(message)
    return prediction.tracks
