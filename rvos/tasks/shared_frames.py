"""Several expressions of one video share the image part of the model."""

import torch

from rvos.models.referdino import ReferDINO
from rvos.structures import ImageFeatures, VideoBatch


class SharedFrames:
    """Encodes frames once for batches of the same frames that follow each other.

    Loaders evaluate the expressions of a video one after the other. Whether frames are the same is
    read off the frames themselves, so results do not change by a bit. Lives as long as the weights
    stay as they are: for one evaluation.

    Args:
        model: The model, in evaluation mode.
    """

    def __init__(self, model: ReferDINO) -> None:
        self._model = model
        self._batch: VideoBatch | None = None
        self._features: list[ImageFeatures] = []

    def encode(self, batch: VideoBatch) -> list[ImageFeatures]:
        """Run the image part, unless the last batch was of the same frames.

        Args:
            batch: Whole videos.

        Returns:
            The frames' features, in chunks.
        """
        if self._batch is None or not _same_frames(self._batch, batch):
            # Let go of the last video first: features of two do not fit where those of one do.
            self._features = []
            self._features = self._model.encode_frames(batch.frames, batch.valid_pixels)
            self._batch = batch
        return self._features


def _same_frames(first: VideoBatch, second: VideoBatch) -> bool:
    # The comparison of all pixels is cheap beside the model; names only make it rare.
    return (
        first.video_ids == second.video_ids
        and first.frame_ids == second.frame_ids
        and torch.equal(first.valid_pixels, second.valid_pixels)
        and torch.equal(first.frames, second.frames)
    )
