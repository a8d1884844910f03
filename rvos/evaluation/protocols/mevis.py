"""MeViS (Ding et al., ICCV 2023) and its second version with no-target expressions."""

from typing import ClassVar

import numpy as np
from jaxtyping import Bool

from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.video_index import Expression, Video
from rvos.evaluation.protocols.base import Measure, ProtocolError, ProtocolStep
from rvos.evaluation.protocols.expression_masks import J_AND_F_MEASURES, ExpressionMaskProtocol

_CODE = "official code (eval_mevis.py)"


class MeViSProtocol(ExpressionMaskProtocol):
    """Region similarity and contour accuracy of union masks; N-acc and T-acc of version 2.

    Args:
        root: Folder with the splits.
        predictions: Folder or zip archive: ``<video>/<expression id>/<frame>.png``.
        split: ``valid_u`` (default) or ``train``; ``valid`` has no public masks.

    Raises:
        RvosError: Benchmark or predictions cannot be read, or the split has no masks.
    """

    name = "mevis"
    title = "MeViS"
    default_split = "valid_u"
    server_folder = ""
    measures: ClassVar[tuple[Measure, ...]] = (
        *J_AND_F_MEASURES,
        Measure("N-acc", "N-acc", unverified=True),
        Measure("T-acc", "T-acc", unverified=True),
    )
    steps: ClassVar[tuple[ProtocolStep, ...]] = (
        ProtocolStep(
            "Take every expression of meta_expressions.json and every frame it lists, the first "
            "and the last included.",
            _CODE,
        ),
        ProtocolStep(
            "Target: the union of the masks of all anno_id; null is an absent object; without "
            "anno_id the target is empty in every frame.",
            _CODE,
        ),
        ProtocolStep(
            "Prediction: <video>/<expression id>/<frame>.png, any value but 0 is the object; a "
            "file of another size is an error here (the official code takes the size of 00000.png "
            "for all).",
            _CODE,
        ),
        ProtocolStep(
            "J of a frame: intersection over union; 1 where both are empty, so that an expression "
            "without target scores 1 in frames where nothing is predicted and 0 in others.",
            _CODE,
        ),
        ProtocolStep(
            "F of a frame: F-measure of contours, matched within ceil(0.008 * diagonal) pixels; 1 "
            "where neither has a contour.",
            _CODE,
        ),
        ProtocolStep("A video without any prediction scores J = F = 0 in all expressions.", _CODE),
        ProtocolStep(
            "A missing expression or frame scores J = F = 0 (the official code stops with an "
            "error).",
            None,
        ),
        ProtocolStep(
            "Mean J and mean F over the frames of an expression, then over expressions; "
            "J&F = (J + F) / 2.",
            _CODE,
        ),
        ProtocolStep(
            "Version 2: expressions without target count in J and F like all others.", None
        ),
        ProtocolStep(
            "N-acc, where the split has expressions without target: the share of these that are "
            "predicted empty in every frame.",
            None,
        ),
        ProtocolStep(
            "T-acc, where the split has expressions without target: the share of those with target "
            "that are predicted non-empty in some frame.",
            None,
        ),
    )

    dataset: MeViSDataset

    def open_dataset(self) -> MeViSDataset:
        """Open the split.

        Returns:
            The data set.

        Raises:
            ProtocolError: The split has no masks.
        """
        dataset = MeViSDataset(self.root, self.split)
        if not dataset.has_annotations:
            message = (
                f"{self.root / self.split} has no masks: only the server can score it; "
                "--split valid_u has masks"
            )
            raise ProtocolError(message)
        self._has_no_target = any(not e.track_ids for v in dataset.videos for e in v.expressions)
        return dataset

    def read_targets(
        self, video: Video, frame: int, frame_size: tuple[int, int]
    ) -> Bool[np.ndarray, "e h w"]:
        """Decode each track once and unite those of every expression.

        Args:
            video: The video.
            frame: Index of the frame.
            frame_size: (height, width) of the video.

        Returns:
            ``[E, H, W]``, True on what each expression refers to.
        """
        tracks = sorted({track for e in video.expressions for track in e.track_ids})
        masks = self.dataset.read_masks(video, [frame], tracks, frame_size)[:, 0]
        targets = np.zeros((len(video.expressions), *frame_size), dtype=bool)
        for target, expression in zip(targets, video.expressions, strict=True):
            rows = [tracks.index(track) for track in expression.track_ids]
            target[:] = masks[rows].any(axis=0)
        return targets

    def further_values(
        self, expression: Expression, predicted: Bool[np.ndarray, " t"], complete: bool
    ) -> dict[str, float]:
        """Decide whether "nothing" was rightly predicted, or rightly not.

        Args:
            expression: The expression.
            predicted: ``[T]``, True in frames where anything was predicted.
            complete: Whether there is a prediction for every frame.

        Returns:
            ``N-acc`` or ``T-acc``, 0 or 1; nothing where the split has targets everywhere.
        """
        if not self._has_no_target:
            return {}
        if expression.track_ids:
            return {"T-acc": float(predicted.any())}
        return {"N-acc": float(complete and not predicted.any())}
