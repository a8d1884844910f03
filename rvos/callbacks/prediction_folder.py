"""A folder of predictions, of which some may be there already."""

from collections.abc import Callable
from pathlib import Path

from lightning.pytorch import LightningModule, Trainer

from rvos.callbacks.prediction_files import write_prediction
from rvos.callbacks.prediction_origin import PredictionOrigin, check_origin
from rvos.callbacks.score_store import ScoreStore
from rvos.datasets.clip_dataset import ClipDataset
from rvos.evaluation.submissions import ExpectedSample, expected_samples, open_submissions
from rvos.storage import write_errors
from rvos.structures.predictions import VideoPrediction


class PredictionFolder:
    """Masks, what the benchmark wants besides them, and in a test the scores of every sample.

    Args:
        root: The folder.
        dataset: What is predicted; None where it cannot be told beforehand: then everything is
            written, and nothing but masks.
        with_tracks: Whether predictions can hold all tracks.
        with_scores: Whether a sample without scores is to be done again.
        scored_together: Names what a sample is scored with: if one of these samples is to be done
            again, all are. None where each is scored alone.

    Attributes:
        samples: All samples, empty where they are not known.
        to_do: Positions of those that the folder lacked something of at the beginning.
        kept: Positions of the others.
        mine: Ids of those that this process writes.
    """

    def __init__(
        self,
        root: Path,
        dataset: ClipDataset | None = None,
        with_tracks: bool = True,
        with_scores: bool = False,
        scored_together: Callable[[str], str] | None = None,
    ) -> None:
        self.root = root
        self._scored_together = scored_together if with_scores else None
        self.samples = [] if dataset is None else expected_samples(dataset) or []
        submissions = [] if dataset is None else open_submissions(dataset, root)
        self.submissions = [each for each in submissions if with_tracks or not each.needs_tracks]
        self.scores = ScoreStore(root) if with_scores and self.samples else None
        self.mine: set[str] = set()
        self.to_do = self.remaining()
        self.kept = sorted(set(range(len(self.samples))).difference(self.to_do))
        # Looked up now: later, other processes have begun to write.
        self._origin = PredictionOrigin.read(root) if self.samples else None
        self._has_predictions = any(_has_masks(sample, root) for sample in self.samples)
        self._is_checked = not self.samples

    @property
    def needs_tracks(self) -> bool:
        """Whether something is made of all tracks."""
        return any(submission.needs_tracks for submission in self.submissions)

    def remaining(self) -> list[int]:
        """Look up which samples the folder lacks something of.

        Returns:
            Their positions.
        """
        missing = [index for index, sample in enumerate(self.samples) if not self._holds(sample)]
        if self._scored_together is None:
            return missing
        groups = [self._scored_together(sample.sample_id) for sample in self.samples]
        incomplete = {groups[index] for index in missing}
        return [index for index, group in enumerate(groups) if group in incomplete]

    def check_origin(self, task: LightningModule, trainer: Trainer) -> None:
        """Refuse to add to predictions of other weights; on every process, so that all stop.

        Args:
            task: The task, its weights loaded.
            trainer: The trainer.

        Raises:
            PredictionWriteError: The folder holds predictions that were made with something else.
        """
        if self._is_checked:
            return
        self._is_checked = True
        origin = PredictionOrigin.of(task, trainer)
        if self._has_predictions or self._origin is not None:
            check_origin(self._origin, origin, self.root)
        elif trainer.is_global_zero:
            with write_errors(self.root):
                origin.write(self.root)

    def write(self, prediction: VideoPrediction) -> None:
        """Write a prediction, unless it is that of another process.

        Args:
            prediction: The prediction.

        Raises:
            StorageError: The folder cannot be written.
        """
        if self.samples and prediction.sample_id not in self.mine:
            return
        with write_errors(self.root):
            for submission in self.submissions:
                if prediction.sample_id in submission.samples:
                    submission.add(prediction)
        write_prediction(prediction, self.root)

    def finish(self, show_progress: bool) -> list[str]:
        """Make what the benchmark wants, if nothing is left to do.

        Args:
            show_progress: Draw progress bars with the time left on stderr.

        Returns:
            What to tell the user.

        Raises:
            RvosError: A prediction is not what it should be, or the folder cannot be written.
        """
        num_left = len(self.remaining())
        if num_left and self.submissions:
            return [
                f"{num_left} of {len(self.samples)} are not predicted yet: repeat the command "
                "with this folder for the rest, and for what the benchmark wants"
            ]
        lines = []
        for submission in self.submissions:
            with write_errors(self.root):
                path = submission.finish(show_progress)
            lines.append(f"submission: {path} ({len(submission.samples)} expressions)")
        return lines

    def _holds(self, sample: ExpectedSample) -> bool:
        return (
            _has_masks(sample, self.root)
            and (self.scores is None or self.scores.holds(sample.sample_id))
            and all(
                submission.holds(sample)
                for submission in self.submissions
                if sample.sample_id in submission.samples
            )
        )


def _has_masks(sample: ExpectedSample, root: Path) -> bool:
    return all(path.is_file() for path in sample.mask_paths(root))
