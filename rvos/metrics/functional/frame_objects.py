"""J and F of every pair of objects in two label maps of one frame."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, UInt8, UInt64

from rvos.metrics.functional.contour import Contour, match_contours
from rvos.ops.packed_masks import count_pixels, pack_mask


@dataclass(frozen=True, slots=True)
class FrameObjects:
    """The objects of one label map, with what every pair needs computed once per object.

    Attributes:
        masks: One packed mask ``[H, S]`` per object.
        num_pixels: Their sizes.
        contours: Their contours.
    """

    masks: list[UInt64[np.ndarray, "h s"]]
    num_pixels: list[int]
    contours: list[Contour]

    @classmethod
    def of_label_map(
        cls,
        labels: UInt8[np.ndarray, "h w"],
        num_objects: int,
        radius: int,
        void: Bool[np.ndarray, "h w"] | None = None,
    ) -> "FrameObjects":
        """Take the objects of a label map apart.

        Args:
            labels: ``[H, W]``, 0 on background.
            num_objects: N; the objects are 1 to N, and other labels are no objects.
            radius: Tolerance of the contours in pixels.
            void: ``[H, W]``, True on pixels that are taken out of every object.

        Returns:
            N objects, some perhaps without a pixel.

        >>> labels = np.array([[1, 1, 3], [1, 0, 3]], dtype=np.uint8)
        >>> FrameObjects.of_label_map(labels, num_objects=3, radius=1).num_pixels
        [3, 0, 2]
        """
        if void is not None:
            labels = np.where(void, np.uint8(0), labels)
        largest = labels.max(initial=0)
        masks = [pack_mask(labels == label) for label in range(1, min(num_objects, largest) + 1)]
        if len(masks) < num_objects:
            nothing = pack_mask(np.zeros_like(labels, dtype=np.bool_))
            masks += [nothing] * (num_objects - len(masks))
        return cls(
            masks=[mask.words for mask in masks],
            num_pixels=[count_pixels(mask.words) for mask in masks],
            contours=[Contour.of_mask(mask, radius) for mask in masks],
        )


def pairwise_region_similarity(
    preds: FrameObjects, targets: FrameObjects
) -> Float64[np.ndarray, "m n"]:
    """Compute J of every pair.

    Args:
        preds: M predicted objects.
        targets: N objects of the ground truth, same frame size and void.

    Returns:
        ``[M, N]`` in [0, 1]; 1 where both are empty.
    """
    scores = np.ones((len(preds.masks), len(targets.masks)))
    for row, pred in enumerate(preds.masks):
        for column, target in enumerate(targets.masks):
            shared = count_pixels(pred & target) if preds.num_pixels[row] else 0
            union = preds.num_pixels[row] + targets.num_pixels[column] - shared
            if union:
                scores[row, column] = shared / union
    return scores


def pairwise_contour_accuracy(
    preds: FrameObjects, targets: FrameObjects
) -> Float64[np.ndarray, "m n"]:
    """Compute F of every pair.

    Args:
        preds: M predicted objects.
        targets: N objects of the ground truth, same frame size, void and radius.

    Returns:
        ``[M, N]`` in [0, 1].
    """
    scores = np.zeros((len(preds.contours), len(targets.contours)))
    for row, pred in enumerate(preds.contours):
        for column, target in enumerate(targets.contours):
            scores[row, column] = match_contours(pred, target)
    return scores
