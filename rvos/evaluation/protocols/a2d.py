"""A2D-Sentences (Gavrilyuk et al., CVPR 2018), and what JHMDB-Sentences shares with it."""

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import UInt8

from rvos.datasets.a2d_files import A2DSample, find_clips
from rvos.datasets.a2d_samples import read_sample_list, samples_path
from rvos.datasets.errors import UnpreparedDatasetError
from rvos.datasets.jhmdb_files import JHMDBSample
from rvos.datasets.video_frames import read_video_frames
from rvos.evaluation.coco_targets import ImageTarget
from rvos.evaluation.protocols.base import Measure, ProtocolError, ProtocolStep, VideoResult
from rvos.evaluation.protocols.image_masks import MASK_MEASURES, ImageMaskProtocol
from rvos.evaluation.set_measures import AveragePrecisionMeasures, SetMeasures
from rvos.metrics.coco_average_precision import DetectionOverlaps
from rvos.ops.rle import mask_area, mask_ious

_CODE = "official code (MTTR, ReferFormer)"
SENTENCES_STEPS = (
    ProtocolStep(
        "Take every image id of the ground truth: one expression and annotated frame each.", _CODE
    ),
    ProtocolStep(
        "Predictions: COCO's result form, any number of scored masks per image at its own size.",
        _CODE,
    ),
    ProtocolStep(
        "mAP of all queries: COCO's AP of masks, mean over IoU 0.5, 0.55, ... 0.95, the 100 best "
        "predictions of an image. It depends on how many queries a method submits.",
        _CODE,
    ),
    ProtocolStep(
        "mAP of top-1: the same with the best prediction of each image only. Papers do not say "
        "which of the two they report.",
        None,
    ),
    ProtocolStep(
        "IoU, P@K: the best-scored prediction, of equal scores the last one in the file.", _CODE
    ),
    ProtocolStep(
        "IoU = (intersection + 1e-6) / (union + 1e-6) in single precision, so that two empty masks "
        "have 1.",
        _CODE,
    ),
    ProtocolStep("P@K: share of images with an IoU above K; equal is not enough.", _CODE),
    ProtocolStep("Overall IoU: sum of intersections over sum of unions.", _CODE),
    ProtocolStep("Mean IoU: mean over images.", _CODE),
    ProtocolStep(
        "An image without prediction scores 0, and its object's area is in the overall union (the "
        "official code stops with an error).",
        None,
    ),
)


class SentencesProtocol(ImageMaskProtocol):
    """What the two benchmarks share: mAP, ground truth, and videos and words of its images.

    Args:
        root: Folder of the benchmark.
        predictions: JSON file in COCO's result form, or a folder or zip archive with one.
        split: ``test`` (default).

    Raises:
        RvosError: Benchmark or predictions cannot be read.
    """

    ground_truth_file: ClassVar[str]
    # The first group is the video.
    image_id_form: ClassVar[re.Pattern[str]]
    default_split = "test"
    measures: ClassVar[tuple[Measure, ...]] = MASK_MEASURES
    steps: ClassVar[tuple[ProtocolStep, ...]] = SENTENCES_STEPS

    @property
    @abstractmethod
    def samples(self) -> Mapping[str, A2DSample | JHMDBSample]:
        """The list of samples by image id; empty where the file is not there."""

    def group_of(self, target: ImageTarget) -> str:
        """Take the video out of the image's id.

        Args:
            target: One target.

        Returns:
            The video; the whole id if it has another form.
        """
        found = self.image_id_form.fullmatch(str(target.image_id))
        return found[1] if found else str(target.image_id)

    def expression_of(self, target: ImageTarget) -> str:
        """Look the words up in the list of samples.

        Args:
            target: One target.

        Returns:
            Them; without the list those of the ground truth, if it has any.
        """
        sample = self.samples.get(str(target.image_id))
        return sample.query if sample else target.expression

    def ground_truth_path(self) -> Path:
        """Find the ground truth, which ``rvos data prepare`` writes where it is missing.

        Returns:
            A JSON file in COCO's form.

        Raises:
            ProtocolError: Another split was asked for.
            UnpreparedDatasetError: It is not there.
        """
        if self.split != self.default_split:
            message = f"{self.title} is scored on {self.default_split!r} only, not {self.split!r}"
            raise ProtocolError(message)
        path = self.root / self.ground_truth_file
        if self.root.is_dir() and not path.is_file():
            raise UnpreparedDatasetError(self.root, self.name)
        return path

    def score_video(self, video_id: str) -> VideoResult:
        """Score the images of one video, and keep all overlaps for mAP.

        Args:
            video_id: Its name.

        Returns:
            One row per image, and the gaps.
        """
        result = super().score_video(video_id)
        samples = tuple(self._overlaps(self._by_name[row.expression_id]) for row in result.rows)
        return VideoResult(video_id, result.rows, result.gaps, samples)

    def set_measures(self, results: Sequence[VideoResult]) -> SetMeasures:
        """Prepare COCO's AP over all predictions, and over the best of each image.

        Args:
            results: All videos.

        Returns:
            The measures.
        """
        return AveragePrecisionMeasures([result.detections for result in results])

    def _overlaps(self, target: ImageTarget) -> DetectionOverlaps:
        detections = self.detections.of_image(target.image_id)
        masks = [self.read_mask(detection, target) for detection in detections]
        truth = self.ground_truth.read_mask(target)
        return DetectionOverlaps(
            sample_id=str(target.image_id),
            target_area=mask_area(truth),
            scores=tuple(detection.score for detection in detections),
            ious=mask_ious(masks, truth),
            areas=tuple(mask_area(mask) for mask in masks),
        )


class A2DSentencesProtocol(SentencesProtocol):
    """mAP, P@K, overall and mean IoU over the annotated frames of the test videos.

    Args:
        root: Folder of the benchmark.
        predictions: JSON file in COCO's result form, or a folder or zip archive with one.
        split: ``test`` (default).

    Raises:
        RvosError: Benchmark or predictions cannot be read.
    """

    name = "a2d_sentences"
    title = "A2D-Sentences"
    ground_truth_file = "a2d_sentences_test_annotations_in_coco_format.json"
    image_id_form = re.compile(r"v_(.+)_f_\d+_i_\d+")

    def read_image(self, target: ImageTarget) -> UInt8[np.ndarray, "h w 3"]:
        """Decode the annotated frame.

        Args:
            target: One target.

        Returns:
            ``[H, W, 3]``, RGB.
        """
        sample = self.samples.get(str(target.image_id))
        if sample is None:
            raise no_picture(target, samples_path(self.root, self.split))
        path = find_clips(self.root) / f"{sample.video_id}.mp4"
        # Files of annotations count from 1, frames of a video from 0.
        return read_video_frames(path, [sample.frame - 1]).frames[sample.frame - 1]

    @cached_property
    def samples(self) -> Mapping[str, A2DSample]:
        """The list of samples by image id; empty where the file is not there."""
        path = samples_path(self.root, self.split)
        samples = read_sample_list(path) if path.is_file() else []
        return {sample.image_id: sample for sample in samples}


def no_picture(target: ImageTarget, path: Path) -> ProtocolError:
    """Make the error of a target whose picture is not known.

    Args:
        target: The target.
        path: The list that should have it.

    Returns:
        The error.
    """
    message = f"{path} does not list {target.image_id!r}, so its picture cannot be found"
    return ProtocolError(message)
