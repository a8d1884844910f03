"""MovingShapes as A2D-Sentences is downloaded."""

import csv
import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import h5py
import numpy as np

from rvos.datasets.a2d_files import (
    A2D_SPLITS,
    instance_folder,
    missed_videos_path,
    queries_path,
    videos_path,
)
from rvos.datasets.files import write_text
from rvos.datasets.moving_shapes.described_objects import expressions_by_object
from rvos.datasets.moving_shapes.picture_files import replace_folder
from rvos.datasets.moving_shapes.records import VideoRecord, read_records, shared_state
from rvos.datasets.moving_shapes.renderer import RenderedVideo
from rvos.datasets.preparation.a2d_sentences import prepare_a2d_sentences
from rvos.datasets.preparation.outputs import PreparedFolder
from rvos.visualization.video_writer import VideoWriter

_FRAMES_PER_SECOND = 10
_ANNOTATED_FRAMES = 3
_LABEL = 11  # of actor and action; read by nobody here


class A2DSentencesLayout:
    """``Release`` with mp4 files, ``text_annotations`` with masks of three frames per video.

    An instance has one expression; several objects, no object and second expressions are left out.

    Args:
        root: Root of the benchmark.

    Example:
        >>> A2DSentencesLayout(Path("a2d")).release.as_posix()
        'a2d/Release'
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.release = root / "Release"

    def write_video(self, record: VideoRecord, rendered: RenderedVideo, partial: Path) -> None:
        """Write the mp4 and the masks of one video.

        Args:
            record: What the annotations say.
            rendered: Its pixels.
            partial: A folder to build others in.
        """
        clips = self.release / "clips320H"
        clips.mkdir(parents=True, exist_ok=True)
        rate = Fraction(_FRAMES_PER_SECOND)
        size = (rendered.frames.shape[1], rendered.frames.shape[2])
        with VideoWriter(clips / f"{record.video_id}.mp4", size, rate, 1 / rate) as video:
            for number, frame in enumerate(rendered.frames):
                video.write(frame, number)
        with replace_folder(instance_folder(self.root, record.video_id), partial) as folder:
            for index in annotated_frames(len(rendered.instances)):
                _write_instances(folder / f"{index + 1:05d}.h5", rendered.instances[index])

    def write_annotations(self, records: Sequence[VideoRecord]) -> None:
        """Write the lists of both splits, then the samples and the ground truth.

        Args:
            records: Not looked at: the files hold both splits, whose records are on disk.
        """
        del records
        videos, queries = [], [["video_id", "instance_id", "query"]]
        for subset, split in enumerate(A2D_SPLITS):
            for record in read_records(shared_state(self.root, split)):
                height, width = _size(record)
                span = ["00:00:00", "00:00:01", height, width, len(record.frames)]
                videos.append([record.video_id, _LABEL, *span, _ANNOTATED_FRAMES, subset])
                for object_id, expressions in expressions_by_object(record).items():
                    queries.append([record.video_id, str(object_id - 1), expressions[0]])
        write_text(videos_path(self.root), _csv(videos))
        write_text(queries_path(self.root), _csv(queries))
        write_text(missed_videos_path(self.root), "")
        prepare_a2d_sentences(PreparedFolder(self.root))


def annotated_frames(num_frames: int) -> list[int]:
    """Choose the annotated frames: in the middle of each third.

    Args:
        num_frames: Length of the video.

    Returns:
        Their indices, without repeats.

    >>> annotated_frames(12), annotated_frames(1)
    ([2, 6, 10], [0])
    """
    thirds = range(_ANNOTATED_FRAMES)
    return sorted({(2 * k + 1) * num_frames // (2 * _ANNOTATED_FRAMES) for k in thirds})


def _write_instances(path: Path, instances: np.ndarray) -> None:
    """Write the masks of a frame as the release does: transposed, and squeezed if there is one."""
    object_ids = [int(value) for value in np.unique(instances) if value]
    if not object_ids:
        return
    masks = np.stack([instances == object_id for object_id in object_ids])
    boxes = []
    for mask in masks:
        rows, columns = np.nonzero(mask)
        boxes.append([columns.min(), rows.min(), columns.max(), rows.max()])
    upright = masks.transpose(0, 2, 1).astype(np.uint8)
    with h5py.File(path, "w") as file:
        file["instance"] = np.array(object_ids) - 1
        file["reMask"] = upright if len(upright) > 1 else upright[0]
        file["reBBox"] = np.array(boxes, dtype=np.float64).T


def _size(record: VideoRecord) -> Sequence[object]:
    sizes = [m["size"] for masks in record.masks.values() for m in masks if m is not None]
    size = sizes[0]
    assert not isinstance(size, str)
    return size


def _csv(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
