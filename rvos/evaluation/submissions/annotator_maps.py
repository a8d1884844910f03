"""Ref-DAVIS17: one label map per annotator and frame, all objects of the sequence merged."""

from collections import defaultdict
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from rvos.datasets.moving_shapes.picture_files import replace_folder, write_palette_png
from rvos.datasets.preparation.progress import make_item_bar
from rvos.evaluation.submissions.base import Submission, SubmissionError, tracks_of
from rvos.evaluation.submissions.expected_sample import ExpectedSample
from rvos.inference.object_merge import best_track_logits, merge_tracks
from rvos.structures.predictions import VideoPrediction

NUM_ANNOTATORS = 4


class AnnotatorMaps(Submission):
    """``anno_{0..3}/<sequence>/<frame>.png``, palette PNGs, as the official scorer reads them.

    Of each expression the best track's mask logits are kept, at stride 4, until the label maps of
    its annotator and sequence are there. Expression ``4 k + a`` is annotator ``a``'s of object
    ``k``, which becomes label ``k + 1``.

    Args:
        folder: Folder of the predictions.
        samples: All samples of the data set.
    """

    needs_tracks: ClassVar[bool] = True

    def __init__(self, folder: Path, samples: list[ExpectedSample]) -> None:
        super().__init__(folder, samples)
        self._groups: dict[tuple[str, int], list[ExpectedSample]] = defaultdict(list)
        for sample in sorted(samples, key=lambda sample: int(sample.expression_id)):
            annotator = int(sample.expression_id) % NUM_ANNOTATORS
            self._groups[sample.video_id, annotator].append(sample)

    def holds(self, sample: ExpectedSample) -> bool:
        """Whether the sample's logits, or the label maps that they went into, are on disk."""
        annotator = int(sample.expression_id) % NUM_ANNOTATORS
        merged = self._has_maps(annotator, sample)
        return merged or self._logits_path(sample).is_file()

    def add(self, prediction: VideoPrediction) -> None:
        """Keep the logits of the best track."""
        tracks = tracks_of(prediction)
        path = self._logits_path(self.samples[prediction.sample_id])
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(
                file,
                logits=best_track_logits(tracks).numpy(),
                sizes=np.array([tracks.input_size, tracks.original_size]),
            )
        part.replace(path)

    def finish(self, show_progress: bool = False) -> Path:
        """Merge what is not merged yet.

        Args:
            show_progress: Draw a progress bar with the time left on stderr.

        Returns:
            The folder of the predictions.

        Raises:
            SubmissionError: If an expression is missing.
        """
        with make_item_bar("label maps", len(self._groups), "sequence", show_progress) as bar:
            for (video_id, annotator), samples in self._groups.items():
                if not self._has_maps(annotator, samples[0]):
                    self._merge(video_id, annotator, samples)
                for sample in samples:
                    self._logits_path(sample).unlink(missing_ok=True)
                bar.update()
        return self.folder

    def _merge(self, video_id: str, annotator: int, samples: list[ExpectedSample]) -> None:
        logits, sizes = [], np.zeros((2, 2), dtype=int)
        for sample in samples:
            path = self._logits_path(sample)
            if not path.is_file():
                message = f"{path} is missing; predict {sample.sample_id} again"
                raise SubmissionError(message)
            with np.load(path) as content:
                logits.append(torch.from_numpy(content["logits"]))
                sizes = content["sizes"]
        input_size, original_size = ((int(height), int(width)) for height, width in sizes)
        label_maps = merge_tracks(torch.stack(logits), input_size, original_size)
        target = self.folder / f"anno_{annotator}" / video_id
        target.parent.mkdir(parents=True, exist_ok=True)
        with replace_folder(target, target.with_name(f".{target.name}.part")) as part:
            for frame_id, label_map in zip(samples[0].frame_ids, label_maps, strict=True):
                write_palette_png(part / f"{frame_id}.png", label_map.numpy())

    def _has_maps(self, annotator: int, sample: ExpectedSample) -> bool:
        folder = self.folder / f"anno_{annotator}" / sample.video_id
        return all((folder / f"{frame_id}.png").is_file() for frame_id in sample.frame_ids)

    def _logits_path(self, sample: ExpectedSample) -> Path:
        return self.folder / ".logits" / sample.video_id / f"{sample.expression_id}.npz"
