"""Pictures and videos of masks."""

from rvos.visualization.overlay import draw_legend, draw_overlay, paint_mask
from rvos.visualization.palette import distinct_colours
from rvos.visualization.strip import (
    PictureWriteError,
    contact_strip,
    save_picture,
    spread_indices,
)
from rvos.visualization.video_writer import VideoWriteError, VideoWriter

__all__ = [
    "PictureWriteError",
    "VideoWriteError",
    "VideoWriter",
    "contact_strip",
    "distinct_colours",
    "draw_legend",
    "draw_overlay",
    "paint_mask",
    "save_picture",
    "spread_indices",
]
