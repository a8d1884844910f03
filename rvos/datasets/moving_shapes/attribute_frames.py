"""Single frames with the look of every pixel, for dense pre-training of a backbone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import Dataset

from rvos.datasets.errors import MaskSizeError
from rvos.datasets.files import annotation_layout, read_frame, read_json
from rvos.datasets.mask_table import MaskTable
from rvos.datasets.moving_shapes.actions import Doing
from rvos.datasets.moving_shapes.vocabulary import COLOURS, SHAPES, SIZES, TEXTURES
from rvos.datasets.targets import mask_boxes_cxcywh
from rvos.ops.rle import decode_mask
from rvos.transforms.frames import normalise_frames

IGNORED_LABEL = -100


@dataclass
class AttributeFrame:
    """One frame and the class of every pixel; -100 where there is nothing to say.

    Attributes:
        frame: ``[3, H, W]``, normalised with the ImageNet statistics.
        foreground: ``[H, W]``, 1 on objects, 0 on background.
        shape: ``[H, W]``, index into ``SHAPES``.
        colour: ``[H, W]``, index into ``COLOURS``.
        size: ``[H, W]``, index into ``SIZES``; also -100 on growing and shrinking objects.
        texture: ``[H, W]``, index into ``TEXTURES``.
        instance: ``[H, W]``, 1, 2, ... on the objects of the video, 0 on background.
    """

    frame: Float[Tensor, "3 h w"]
    foreground: Int[Tensor, "h w"]
    shape: Int[Tensor, "h w"]
    colour: Int[Tensor, "h w"]
    size: Int[Tensor, "h w"]
    texture: Int[Tensor, "h w"]
    instance: Int[Tensor, "h w"]


@dataclass(frozen=True, slots=True)
class AttributeVideo:
    """One video.

    Attributes:
        video_id: Its id.
        frames: Names of its frames.
        tracks: Ids of its objects' masks.
        labels: ``[N, 4]``, class of shape, colour, size and texture of each object; -100 is open.
        doings: What each object does.
    """

    video_id: str
    frames: tuple[str, ...]
    tracks: tuple[str, ...]
    labels: Int[np.ndarray, "n 4"]
    doings: tuple[Doing, ...]


class AttributeFrameDataset(Dataset[AttributeFrame]):
    """Every frame of a MovingShapes split in MeViS layout.

    Args:
        root: Root of the benchmark.
        split: Folder of the split.
        max_videos: Keep only the first videos.
        frame_step: Take every so-many-th frame of a video.

    Attributes:
        videos: The videos.

    Raises:
        DatasetNotFoundError: An annotation file is missing.
        MalformedAnnotationError: An annotation file is not one that MovingShapes writes.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from rvos.datasets.moving_shapes.writer import write_moving_shapes
        >>> with TemporaryDirectory() as root:
        ...     folder = write_moving_shapes(Path(root), num_videos=1, progress=False)
        ...     AttributeFrameDataset(root)[0].colour.shape
        torch.Size([128, 192])
    """

    def __init__(
        self,
        root: Path | str,
        split: str = "train",
        max_videos: int | None = None,
        frame_step: int = 1,
    ) -> None:
        folder = Path(root) / split
        self._frames_folder = folder / "JPEGImages"
        self._masks_path = folder / "mask_dict.json"
        index_path = folder / "meta_expressions.json"
        index = read_json(index_path, "MeViS")
        with annotation_layout(index_path):
            entries = sorted(index["videos"].items())[:max_videos]
            self.videos = [_parse_video(video_id, entry) for video_id, entry in entries]
        masks = read_json(self._masks_path, "MeViS")
        with annotation_layout(self._masks_path):
            self._masks = MaskTable((t, masks[t]) for video in self.videos for t in video.tracks)
        self._samples = np.array(
            [
                (number, frame)
                for number, video in enumerate(self.videos)
                for frame in range(0, len(video.frames), frame_step)
            ],
            dtype=np.int32,
        ).reshape(-1, 2)

    def __len__(self) -> int:
        """Number of frames."""
        return len(self._samples)

    def __getitem__(self, index: int) -> AttributeFrame:
        """Read one frame.

        Args:
            index: Number of the frame.

        Returns:
            The frame and its maps.

        Raises:
            MaskSizeError: A mask is of another size than the frame.
        """
        video_number, frame_index = self._samples[index].tolist()
        return self.read(self.videos[video_number], frame_index)

    def read(self, video: AttributeVideo, frame_index: int) -> AttributeFrame:
        """Read one frame of a video.

        Args:
            video: One of ``videos``.
            frame_index: Position of the frame.

        Returns:
            The frame and its maps.

        Raises:
            MaskSizeError: A mask is of another size than the frame.
        """
        name = video.frames[frame_index]
        pixels = read_frame(self._frames_folder / video.video_id / f"{name}.jpg")
        frame_size = (pixels.shape[0], pixels.shape[1])
        maps = np.full((4, *frame_size), IGNORED_LABEL, dtype=np.int64)
        instance = np.zeros(frame_size, dtype=np.int64)
        for number, (track, labels) in enumerate(zip(video.tracks, video.labels, strict=True), 1):
            rle = self._masks.mask(track, frame_index)
            if rle is None:
                continue
            if (rle.height, rle.width) != frame_size:
                source = f"{self._masks_path}, object {track}, frame {name},"
                raise MaskSizeError(source, (rle.height, rle.width), frame_size)
            mask = decode_mask(rle)
            instance[mask] = number
            maps[:, mask] = labels[:, None]
        shape, colour, size, texture = torch.from_numpy(maps)
        return AttributeFrame(
            frame=normalise_frames(pixels[None])[0],
            foreground=torch.from_numpy((instance > 0).astype(np.int64)),
            shape=shape,
            colour=colour,
            size=size,
            texture=texture,
            instance=torch.from_numpy(instance),
        )

    def boxes_cxcywh(
        self, video: AttributeVideo, frame_indices: Sequence[int]
    ) -> Float[Tensor, "n t 4"]:
        """Boxes around a video's objects, without reading its frames.

        Args:
            video: One of ``videos``.
            frame_indices: T positions of frames.

        Returns:
            ``[N, T, 4]`` in [0, 1]; zeros where an object is absent.
        """
        masks = np.zeros(
            (len(video.tracks), len(frame_indices), *self.frame_size(video)), dtype=bool
        )
        for number, track in enumerate(video.tracks):
            for position, frame in enumerate(frame_indices):
                rle = self._masks.mask(track, frame)
                if rle is not None:
                    masks[number, position] = decode_mask(rle)
        return mask_boxes_cxcywh(torch.from_numpy(masks))

    def frame_size(self, video: AttributeVideo) -> tuple[int, int]:
        """(height, width) of a video's frames; (1, 1) where it never shows an object.

        Args:
            video: One of ``videos``.
        """
        for track in video.tracks:
            for frame in range(len(video.frames)):
                rle = self._masks.mask(track, frame)
                if rle is not None:
                    return rle.height, rle.width
        return 1, 1


def _parse_video(video_id: str, entry: dict[str, Any]) -> AttributeVideo:
    objects = list(entry["objects"].values())
    labels = [
        (
            SHAPES.index(item["shape"]),
            COLOURS.index(item["colour"]),
            IGNORED_LABEL if item["size"] == "changing" else SIZES.index(item["size"]),
            TEXTURES.index(item["texture"]),
        )
        for item in objects
    ]
    return AttributeVideo(
        video_id=video_id,
        frames=tuple(str(frame) for frame in entry["frames"]),
        tracks=tuple(str(item["anno_id"]) for item in objects),
        labels=np.array(labels, dtype=np.int64).reshape(-1, 4),
        doings=tuple(Doing(item["motion"], item["heading"]) for item in objects),
    )
