"""Where a method's masks lie: ``[folder/]<video>/<expression id>/<frame>.png``."""

from collections.abc import Collection, Sequence

import numpy as np
from jaxtyping import Bool

from rvos.evaluation.prediction_mask import read_mask
from rvos.evaluation.prediction_source import PredictionError, PredictionSource

# `archive/submission/Annotations/<video>` is the deepest that has been met.
_DEEPEST = 2


class ExpressionFolders:
    """Masks by video, expression and frame, whatever folder they were put into.

    Args:
        source: The predictions.
        video_ids: Videos of the benchmark.
        server_folder: Folder at the root that the benchmark's server wants, ``""`` for none.

    Raises:
        PredictionError: No video is there, or videos lie in several folders.
    """

    def __init__(
        self, source: PredictionSource, video_ids: Collection[str], server_folder: str
    ) -> None:
        self.source = source
        self.server_folder = server_folder
        self.folder = find_video_folder(source, video_ids)
        known = set(video_ids)
        self.unknown_videos = [
            name
            for name in source.children(self.folder)
            if name not in known and source.children(_join(self.folder, name))
        ]

    def frames(self, video_id: str, expression_id: str) -> frozenset[str]:
        """List the frames that have a mask.

        Args:
            video_id: The video.
            expression_id: The expression.

        Returns:
            Their names, none where nothing was predicted.
        """
        names = self.source.children(_join(self.folder, video_id, expression_id))
        return frozenset(name.removesuffix(".png") for name in names if name.endswith(".png"))

    def has_video(self, video_id: str) -> bool:
        """Whether there is anything for a video.

        Args:
            video_id: The video.

        Returns:
            True if so.
        """
        return bool(self.source.children(_join(self.folder, video_id)))

    def mask(
        self, video_id: str, expression_id: str, frame_id: str, frame_size: tuple[int, int]
    ) -> Bool[np.ndarray, "h w"]:
        """Read one mask.

        Args:
            video_id: The video.
            expression_id: The expression.
            frame_id: The frame.
            frame_size: (height, width) of the video.

        Returns:
            ``[H, W]``, True on the object.

        Raises:
            PredictionError: It is missing, damaged, of another size or no mask.
        """
        name = _join(self.folder, video_id, expression_id, f"{frame_id}.png")
        return read_mask(self.source, name, frame_size)

    def notes(self) -> list[str]:
        """Say what a server would not accept.

        Returns:
            One line each.
        """
        notes = []
        if self.folder != self.server_folder:
            found = f"in {self.folder}/" if self.folder else "at the root"
            wanted = f"in {self.server_folder}/" if self.server_folder else "at the root"
            notes.append(f"the videos lie {found}; the server wants them {wanted}")
        if self.unknown_videos:
            shown = _shorten(self.unknown_videos)
            notes.append(f"not scored, because the split has no such videos: {shown}")
        return notes


def find_video_folder(source: PredictionSource, video_ids: Collection[str]) -> str:
    """Find the folder that holds the videos' folders.

    Args:
        source: The predictions.
        video_ids: Videos of the benchmark.

    Returns:
        Its name, ``""`` for the root.

    Raises:
        PredictionError: There is none, or several.
    """
    known = set(video_ids)
    folders = [""]
    for _ in range(_DEEPEST + 1):
        found = [folder for folder in folders if known.intersection(source.children(folder))]
        if len(found) > 1:
            message = (
                f"{source.path} holds videos in several folders ({_shorten(found)}); give the one "
                "that is meant"
            )
            raise PredictionError(message)
        if found:
            return found[0]
        folders = [_join(folder, name) for folder in folders for name in source.children(folder)]
    example = min(known, default="<video>")
    message = (
        f"{source.path} holds no video of this split: expected "
        f"{example}/<expression id>/<frame>.png, or the same in one folder"
    )
    raise PredictionError(message)


def _join(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def _shorten(names: Sequence[str], most: int = 4) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
