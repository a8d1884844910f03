"""MovingShapes as JHMDB-Sentences is downloaded."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from rvos.datasets.files import write_json, write_text
from rvos.datasets.jhmdb_files import FRAMES_FOLDER, MASKS_FOLDER, SAMPLES_FILE
from rvos.datasets.moving_shapes.described_objects import expressions_by_object
from rvos.datasets.moving_shapes.picture_files import replace_folder
from rvos.datasets.moving_shapes.records import VideoRecord
from rvos.datasets.moving_shapes.renderer import RenderedVideo
from rvos.datasets.preparation.jhmdb_sentences import prepare_jhmdb_sentences
from rvos.datasets.preparation.outputs import PreparedFolder

_ACTION = "move"
_SAMPLES_PER_VIDEO = 3


class JHMDBSentencesLayout:
    """``Rename_Images``, ``puppet_mask`` and the list of samples.

    A video has one expression, its first with a single target; videos without one are left out.

    Args:
        root: Root of the benchmark.

    Example:
        >>> JHMDBSentencesLayout(Path("jhmdb")).masks_path("0a").as_posix()
        'jhmdb/puppet_mask/move/0a/puppet_mask.mat'
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def masks_path(self, video_id: str) -> Path:
        """File of a video's masks.

        Args:
            video_id: The video.

        Returns:
            The path.
        """
        return self.root / MASKS_FOLDER / _ACTION / video_id / "puppet_mask.mat"

    def write_video(self, record: VideoRecord, rendered: RenderedVideo, partial: Path) -> None:
        """Write frames and masks of one video.

        Args:
            record: What the annotations say.
            rendered: Its pixels.
            partial: A folder to build others in.
        """
        described = expressions_by_object(record)
        if not described:
            return
        frames = self.root / FRAMES_FOLDER / _ACTION / record.video_id
        with replace_folder(frames, partial) as folder:
            for number, frame in enumerate(rendered.frames, start=1):
                Image.fromarray(frame).save(folder / f"{number:05d}.png")
        masks = np.stack([instances == min(described) for instances in rendered.instances], -1)
        path = self.masks_path(record.video_id)
        with replace_folder(path.parent, partial) as folder:
            savemat(
                str(folder / path.name), {"part_mask": masks.astype(np.uint8)}, do_compression=True
            )

    def write_annotations(self, records: Sequence[VideoRecord]) -> None:
        """Write the expressions and the list of samples, then the ground truth.

        Args:
            records: The videos.
        """
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["video_id", "query"])
        samples: list[list[object]] = []
        for record in records:
            described = expressions_by_object(record)
            if not described:
                continue
            expression = described[min(described)][0]
            rows.writerow([record.video_id, expression])
            masks = self.masks_path(record.video_id).relative_to(self.root)
            for number in _sampled_frames(record, str(min(described))):
                frame = f"{FRAMES_FOLDER}/{_ACTION}/{record.video_id}/{number:05d}.png"
                paths = [f"./jhmdb_sentences/{path}" for path in (frame, masks.as_posix())]
                samples.append([record.video_id, *paths, len(record.frames), expression])
        write_text(self.root / "jhmdb_annotation.txt", text.getvalue())
        write_json(self.root / SAMPLES_FILE, samples)
        prepare_jhmdb_sentences(PreparedFolder(self.root))


def _sampled_frames(record: VideoRecord, object_id: str) -> list[int]:
    """Numbers, from 1, of frames spread evenly over those that show the object."""
    shown = [n for n, mask in enumerate(record.masks[object_id], start=1) if mask is not None]
    positions = np.linspace(0, len(shown) - 1, _SAMPLES_PER_VIDEO).round().astype(int)
    return [shown[position] for position in sorted(set(positions.tolist()))]
