"""One's own videos: folders of frames and masks, and one JSON file per split.

docs/own_data.md describes the files and shows a worked example::

    root/train.json  valid.json
    root/frames/<video>/<frame>.jpg
    root/masks/<video>/<frame>.png      pixel value = object id; or run lengths in the JSON file
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import numpy as np
from jaxtyping import Bool

from rvos.datasets.clip_options import ClipOptions
from rvos.datasets.errors import MaskSizeError
from rvos.datasets.palette_masks import read_palette_masks
from rvos.datasets.referring_video import ReferringVideoDataset
from rvos.datasets.video_folder_index import (
    VideoFolderError,
    find_image,
    mask_key,
    read_video_folder,
)
from rvos.datasets.video_index import Video
from rvos.ops.rle import check_mask, decode_mask


class VideoFolderDataset(ReferringVideoDataset):
    """Videos of any kind with expressions, several targets or none per expression.

    Args:
        root: Folder with the JSON files.
        split: Name of the JSON file, without ending.
        **options: Sampler, augmentation and choice of videos and targets, as in
            :class:`ReferringVideoDataset`.

    Raises:
        DatasetNotFoundError: If the JSON file is missing.
        VideoFolderError: If it is not as described.

    >>> VideoFolderDataset("nowhere", "train")
    Traceback (most recent call last):
    rvos.datasets.errors.DatasetNotFoundError: nowhere/train.json is missing: ...
    """

    def __init__(
        self, root: Path | str, split: str = "train", **options: Unpack[ClipOptions]
    ) -> None:
        self.root = Path(root)
        self._path = self.root / f"{split}.json"
        self._index = read_video_folder(self._path)
        super().__init__(self._index.videos, has_annotations=self._index.has_annotations, **options)

    def frame_path(self, video: Video, frame_id: str) -> Path:
        """File of a frame.

        Args:
            video: Its video.
            frame_id: Its name.

        Returns:
            The path.
        """
        return find_image(self._index.frames_folder / video.video_id, frame_id)

    def read_masks(
        self,
        video: Video,
        frames: Sequence[int],
        track_ids: Sequence[str],
        frame_size: tuple[int, int],
    ) -> Bool[np.ndarray, "n t h w"]:
        """Read the masks of some tracks, from the JSON file or from PNGs.

        Args:
            video: The video.
            frames: T frame indices; may repeat.
            track_ids: N tracks.
            frame_size: (height, width) of the video's frames.

        Returns:
            ``[N, T, H, W]``, True on the object.

        Raises:
            MaskSizeError: If a mask is of another size than its frame.
            VideoFolderError: If the run lengths of a mask are damaged.
        """
        if mask_key(video.video_id, track_ids[0]) in self._index.masks:
            return self._decode_masks(video, frames, track_ids, frame_size)
        folder = self._index.masks_folder / video.video_id
        paths = [folder / f"{video.frame_ids[frame]}.png" for frame in frames]
        return read_palette_masks(paths, track_ids, frame_size)

    def _decode_masks(
        self,
        video: Video,
        frames: Sequence[int],
        track_ids: Sequence[str],
        frame_size: tuple[int, int],
    ) -> Bool[np.ndarray, "n t h w"]:
        masks = np.zeros((len(track_ids), len(frames), *frame_size), dtype=bool)
        for track, track_id in enumerate(track_ids):
            for position, frame in enumerate(frames):
                rle = self._index.masks.mask(mask_key(video.video_id, track_id), frame)
                if rle is None:
                    continue
                if (rle.height, rle.width) != frame_size:
                    source = f"{self._path}, object {track_id} of video {video.video_id},"
                    raise MaskSizeError(source, (rle.height, rle.width), frame_size)
                try:
                    check_mask(rle)
                except ValueError as error:
                    reason = f"object {track_id}, frame {frame} of video {video.video_id}: {error}"
                    raise VideoFolderError(self._path, reason) from error
                masks[track, position] = decode_mask(rle)
        return masks
