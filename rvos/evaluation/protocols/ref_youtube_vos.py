"""Ref-YouTube-VOS (Seo et al., ECCV 2020), scored locally since its servers closed."""

from typing import ClassVar

import numpy as np
from jaxtyping import Bool

from rvos.datasets.errors import MaskSizeError
from rvos.datasets.files import read_object_ids
from rvos.datasets.ref_youtube_vos import RefYouTubeVOSDataset
from rvos.datasets.video_index import Video
from rvos.evaluation.protocols.base import Measure, ProtocolError, ProtocolStep
from rvos.evaluation.protocols.expression_masks import J_AND_F_MEASURES, ExpressionMaskProtocol

_FORMAT = "format that the server took"


class RefYouTubeVOSProtocol(ExpressionMaskProtocol):
    """Region similarity and contour accuracy per expression.

    Ground truth is read from ``<split>/Annotations``, in either of two forms:
    ``<video>/<expression id>/<frame>.png`` with any value but 0 on the object, or
    ``<video>/<frame>.png`` with object ids, which the expressions file then names as ``obj_id``.

    Args:
        root: Folder with ``meta_expressions`` and the splits.
        predictions: Folder or zip archive:
            ``Annotations/<video>/<expression id>/<frame>.png``; another folder than
            ``Annotations``, or none, is noted.
        split: ``valid`` (default) or ``train``.

    Raises:
        RvosError: Benchmark or predictions cannot be read, or the split has no ground truth.
    """

    name = "ref_youtube_vos"
    title = "Ref-YouTube-VOS"
    default_split = "valid"
    server_folder = "Annotations"
    measures: ClassVar[tuple[Measure, ...]] = J_AND_F_MEASURES
    steps: ClassVar[tuple[ProtocolStep, ...]] = (
        ProtocolStep(
            "Videos: those of the validation file that the test file does not list; without a test "
            "file, those whose frames are on disk.",
            "released evaluation scripts",
        ),
        ProtocolStep(
            "Take every expression and every frame of meta_expressions.json, the first included.",
            None,
        ),
        ProtocolStep(
            "Target: the PNG of the expression, or the pixels whose value is the expression's "
            "obj_id; a frame without such a pixel has an empty target.",
            None,
        ),
        ProtocolStep(
            "Prediction: Annotations/<video>/<expression id>/<frame>.png, one channel, 0 and 255, "
            "at the video's own size.",
            _FORMAT,
        ),
        ProtocolStep("Any value but 0 is the object; several are an error.", None),
        ProtocolStep(
            "J of a frame, as DAVIS defines it: intersection over union; 1 where both are empty.",
            None,
        ),
        ProtocolStep(
            "F of a frame, as DAVIS defines it: F-measure of contours, matched within "
            "ceil(0.008 * diagonal) pixels; 1 where neither has a contour.",
            None,
        ),
        ProtocolStep("A missing video, expression or frame scores J = F = 0.", None),
        ProtocolStep("Mean J and mean F over the frames of an expression.", None),
        ProtocolStep("Mean over expressions, not over videos; J&F = (J + F) / 2.", None),
    )

    dataset: RefYouTubeVOSDataset

    def open_dataset(self) -> RefYouTubeVOSDataset:
        """Open the split and see which ground truth it has.

        Returns:
            The data set.

        Raises:
            ProtocolError: There is no ground truth, or it cannot be told whose it is.
        """
        dataset = RefYouTubeVOSDataset(self.root, self.split)
        self._annotations = self.root / self.split / "Annotations"
        if not dataset.has_annotations:
            message = (
                f"{self._annotations} is missing: put the published annotations of the split "
                "there, as <video>/<expression id>/<frame>.png or <video>/<frame>.png"
            )
            raise ProtocolError(message)
        for video in dataset.videos:
            if not self._is_per_expression(video):
                self._check_objects_are_named(video)
        return dataset

    def read_targets(
        self, video: Video, frame: int, frame_size: tuple[int, int]
    ) -> Bool[np.ndarray, "e h w"]:
        """Read the ground truth of one frame in either of its two forms.

        Args:
            video: The video.
            frame: Index of the frame.
            frame_size: (height, width) of the video.

        Returns:
            ``[E, H, W]``, True on what each expression refers to.

        Raises:
            RvosError: A file is missing, damaged or of another size than the video.
        """
        if not self._is_per_expression(video):
            tracks = [expression.track_ids[0] for expression in video.expressions]
            return self.dataset.read_masks(video, [frame], tracks, frame_size)[:, 0]
        targets = np.zeros((len(video.expressions), *frame_size), dtype=bool)
        for target, expression in zip(targets, video.expressions, strict=True):
            folder = self._annotations / video.video_id / expression.expression_id
            path = folder / f"{video.frame_ids[frame]}.png"
            pixels = read_object_ids(path)
            if pixels.shape != frame_size:
                raise MaskSizeError(str(path), (pixels.shape[0], pixels.shape[1]), frame_size)
            target[:] = pixels != 0
        return targets

    def _is_per_expression(self, video: Video) -> bool:
        folder = self._annotations / video.video_id
        return any((folder / e.expression_id).is_dir() for e in video.expressions)

    def _check_objects_are_named(self, video: Video) -> None:
        for expression in video.expressions:
            if len(expression.track_ids) != 1:
                message = (
                    f"{self._annotations / video.video_id} holds object ids, but the expressions "
                    f"file names no obj_id for expression {expression.expression_id}; use the "
                    "file of the annotated release, or ground truth with one folder per expression"
                )
                raise ProtocolError(message)
