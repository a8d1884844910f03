"""The unsupervised protocol of DAVIS: proposals of any number and order (Caelles et al., 2019)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, UInt8
from scipy.optimize import linear_sum_assignment

from rvos.metrics.functional.contour import radius_in_pixels
from rvos.metrics.functional.frame_objects import (
    FrameObjects,
    pairwise_contour_accuracy,
    pairwise_region_similarity,
)

VOID = 255


@dataclass(frozen=True, slots=True)
class ObjectScores:
    """Scores of one object of the ground truth.

    Attributes:
        object_id: Its label in the ground truth.
        proposal_id: Label of the proposal that was assigned to it; none of the prediction's if
            there were too few.
        j: Region similarity ``[T]``.
        f: Contour accuracy ``[T]``.
    """

    object_id: int
    proposal_id: int
    j: Float64[np.ndarray, " t"]
    f: Float64[np.ndarray, " t"]


class TargetSequence:
    """The ground truth of a sequence, taken apart once for all predictions.

    The objects are those up to the largest label of the *first* frame: what appears later does not
    count, as in the released tool. Void pixels are taken out of objects and proposals.

    Args:
        label_maps: ``[T, H, W]``: 0 on background, 255 on void.
        bound_th: Tolerance of the contour accuracy.

    Raises:
        ValueError: Without a frame.

    >>> TargetSequence(np.array([[[0, 2, 255]], [[0, 2, 3]]], dtype=np.uint8)).num_objects
    2
    """

    def __init__(self, label_maps: UInt8[np.ndarray, "t h w"], bound_th: float = 0.008) -> None:
        if len(label_maps) == 0:
            message = "Expected label maps of at least one frame, but got none"
            raise ValueError(message)
        self.shape = label_maps.shape
        # None where there is no void, which saves time.
        voids = label_maps == VOID
        self.voids = [void if void.any() else None for void in voids]
        self.radius = radius_in_pixels(label_maps.shape[1], label_maps.shape[2], bound_th)
        self.num_objects = int(label_maps[0].max(initial=0, where=~voids[0]))
        self.frames = [
            FrameObjects.of_label_map(labels, self.num_objects, self.radius, void)
            for labels, void in zip(label_maps, self.voids, strict=True)
        ]

    def score(
        self,
        label_maps: UInt8[np.ndarray, "t h w"],
        missing: Bool[np.ndarray, " t"] | None = None,
    ) -> list[ObjectScores]:
        """Assign proposals to objects so that the mean of (J + F) / 2 is greatest, and score them.

        Args:
            label_maps: ``[T, H, W]``, 0 on background, else the number of a proposal.
            missing: ``[T]``, True on frames without prediction, which score 0.

        Returns:
            One per object, in the order of the objects.

        Raises:
            ValueError: If the frames differ in number or size from the ground truth's.
        """
        if label_maps.shape != self.shape:
            message = f"Expected label maps {self.shape}, but got {label_maps.shape}"
            raise ValueError(message)
        num_proposals = max(int(label_maps.max()), self.num_objects)
        j = np.zeros((num_proposals, self.num_objects, len(self.frames)))
        f = np.zeros_like(j)
        frames = zip(label_maps, self.voids, self.frames, strict=True)
        for index, (labels, void, targets) in enumerate(frames):
            if missing is not None and missing[index]:
                continue
            preds = FrameObjects.of_label_map(labels, num_proposals, self.radius, void)
            j[..., index] = pairwise_region_similarity(preds, targets)
            f[..., index] = pairwise_contour_accuracy(preds, targets)
        value = (j.mean(axis=2) + f.mean(axis=2)) / 2
        proposals, objects = linear_sum_assignment(-value)
        return [
            ObjectScores(int(found) + 1, int(proposal) + 1, j[proposal, found], f[proposal, found])
            for found, proposal in sorted(zip(objects, proposals, strict=True))
        ]
