"""The demo's overlay video and its strip of pictures."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, UInt8

from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.demo.folder import DemoFolder
from rvos.inference.predictor import Predictor
from rvos.inference.results import SegmentationResult
from rvos.inference.video_io import open_video
from rvos.visualization import (
    VideoWriter,
    contact_strip,
    draw_overlay,
    save_picture,
    spread_indices,
)

_FRAMES_SHOWN = 5
# Small frames leave no room for the expression.
_ENLARGEMENT = 2


@dataclass
class ShownVideo:
    """One held-out expression with its video.

    Attributes:
        frames_folder: The video as a folder of pictures, as `rvos segment` takes it.
        expression: What is asked for.
        frames: ``[T, H, W, 3]``.
        truth: ``[T, H, W]``, True on the referred objects.
    """

    frames_folder: Path
    expression: str
    frames: UInt8[np.ndarray, "t h w 3"]
    truth: Bool[np.ndarray, "t h w"]


def open_shown_video(samples: MeViSDataset) -> ShownVideo:
    """Take the first expression of a data set, so that nothing is picked by its result.

    Args:
        samples: Whole videos.

    Returns:
        The expression and its video.
    """
    sample, video = samples[0], samples.videos[0]
    folder = samples.frame_path(video, video.frame_ids[0]).parent
    targets = sample.targets
    return ShownVideo(
        frames_folder=folder,
        expression=sample.expression,
        frames=np.stack([frame.image for frame in open_video(folder)]),
        truth=targets.masks[targets.referred].any(dim=0).numpy(),
    )


def segment(shown: ShownVideo, predictor: Predictor) -> SegmentationResult:
    """Segment the video with its expression, from its files, as `rvos segment` does.

    Args:
        shown: Video and expression.
        predictor: With the model.

    Returns:
        The masks.
    """
    return predictor.segment(shown.frames_folder, shown.expression, show_progress=True)[0]


def write_overlay(shown: ShownVideo, result: SegmentationResult, folder: DemoFolder) -> None:
    """Write the video with the masks drawn in.

    Args:
        shown: The video.
        result: Its masks.
        folder: Gets the video.
    """
    label = f"{float(result.scores.mean()):.2f}  {shown.expression}"
    rate, size = Fraction(HELD_OUT.fps), (shown.frames.shape[1], shown.frames.shape[2])
    with VideoWriter(folder.overlay, size, rate, 1 / rate) as writer:
        for index, frame in enumerate(shown.frames):
            mask = result.masks[index : index + 1].numpy()
            writer.write(draw_overlay(frame, mask, [label]), index)


def draw_strip(
    shown: ShownVideo, before: SegmentationResult, after: SegmentationResult
) -> UInt8[np.ndarray, "sh sw 3"]:
    """Draw some frames in three rows: before, after, and the ground truth.

    Args:
        shown: The video.
        before: Masks before the fit.
        after: Masks after it.

    Returns:
        RGB ``[SH, SW, 3]``.
    """
    rows = {
        "before": before.masks,
        "after": after.masks,
        "ground truth": torch.from_numpy(shown.truth),
    }
    indices = spread_indices(len(shown.frames), _FRAMES_SHOWN)
    pictures = [
        draw_overlay(
            _enlarge(shown.frames[index]),
            _enlarge(masks[index].numpy())[None],
            [f"{title}: {shown.expression}" if position == 0 else f"frame {index}"],
        )
        for title, masks in rows.items()
        for position, index in enumerate(indices)
    ]
    return contact_strip(pictures, num_columns=len(indices))


def write_pictures(
    shown: ShownVideo,
    before: SegmentationResult,
    after: SegmentationResult,
    folder: DemoFolder,
) -> None:
    """Write overlay video and strip.

    Args:
        shown: The video.
        before: Masks before the fit.
        after: Masks after it.
        folder: Gets the files.
    """
    write_overlay(shown, after, folder)
    save_picture(draw_strip(shown, before, after), folder.strip)


def _enlarge(picture: np.ndarray) -> np.ndarray:
    return picture.repeat(_ENLARGEMENT, axis=0).repeat(_ENLARGEMENT, axis=1)
