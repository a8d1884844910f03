"""A2D-Sentences, JHMDB-Sentences, RefCOCO: one JSON list of scored masks and boxes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from rvos.datasets.files import write_json
from rvos.datasets.preparation.progress import make_item_bar
from rvos.evaluation.submissions.base import Submission, SubmissionError, tracks_of
from rvos.evaluation.submissions.expected_sample import ExpectedSample
from rvos.inference.detections import frame_detections
from rvos.ops.rle import encode_mask
from rvos.structures.predictions import VideoPrediction

ImageIdRule = Callable[[ExpectedSample], str | int]


class DetectionList(Submission):
    """All object queries of all images, in COCO's result form.

    Each has a score, a mask at the image's own size as compressed run lengths, and a box under
    ``bbox_xyxy``: its corners in pixels, which may lie outside of the image as the model says.

    Args:
        folder: Folder of the predictions.
        samples: All samples of the data set.
        name: The file is ``<name>.json``.
        image_id: Says by which id the ground truth knows a sample.
    """

    needs_tracks: ClassVar[bool] = True

    def __init__(
        self, folder: Path, samples: list[ExpectedSample], name: str, image_id: ImageIdRule
    ) -> None:
        super().__init__(folder, samples)
        self.path = folder / f"{name}.json"
        self._image_id = image_id

    def holds(self, sample: ExpectedSample) -> bool:
        """Whether the detections of the sample are on disk."""
        return self._part_path(sample).is_file()

    def add(self, prediction: VideoPrediction) -> None:
        """Write the detections of one image."""
        sample = self.samples[prediction.sample_id]
        write_json(self._part_path(sample), _detections(prediction, self._image_id(sample)))

    def finish(self, show_progress: bool = False) -> Path:
        """Join the detections of all images, in the order of the data set.

        Args:
            show_progress: Draw a progress bar with the time left on stderr.

        Returns:
            The JSON file.

        Raises:
            SubmissionError: If an image is missing.
        """
        part = self.path.with_name(f".{self.path.name}.part")
        num_samples = len(self.samples)
        with (
            part.open("w", encoding="utf-8") as file,
            make_item_bar(self.path.name, num_samples, "image", show_progress) as bar,
        ):
            file.write("[")
            for number, sample in enumerate(self.samples.values()):
                source = self._part_path(sample)
                if not source.is_file():
                    message = f"{source} is missing; predict {sample.sample_id} again"
                    raise SubmissionError(message)
                # Each part is a list, and never an empty one.
                file.write(",\n" if number else "\n")
                file.write(source.read_text(encoding="utf-8")[1:-1])
                bar.update()
            file.write("\n]\n")
        part.replace(self.path)
        return self.path

    def _part_path(self, sample: ExpectedSample) -> Path:
        return self.folder / ".detections" / f"{sample.sample_id}.json"


def _detections(prediction: VideoPrediction, image_id: str | int) -> list[dict[str, Any]]:
    found = frame_detections(tracks_of(prediction))
    masks = found.masks.cpu().numpy()
    return [
        {
            "image_id": image_id,
            "category_id": 1,
            "score": score,
            "segmentation": {
                "size": list(mask.shape),
                "counts": encode_mask(mask).counts.decode("ascii"),
            },
            "bbox_xyxy": box,
        }
        for score, mask, box in zip(
            found.scores.tolist(), masks, found.boxes_xyxy.tolist(), strict=True
        )
    ]
