"""MovingShapes as Ref-DAVIS17 is downloaded; its own conversion then makes what is read."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rvos.datasets.davis_text import ANNOTATORS, TEXT_FOLDER
from rvos.datasets.files import write_json, write_text
from rvos.datasets.moving_shapes.described_objects import expressions_by_object
from rvos.datasets.moving_shapes.picture_files import replace_folder, write_jpeg, write_palette_png
from rvos.datasets.moving_shapes.records import VideoRecord, read_records, shared_state
from rvos.datasets.moving_shapes.renderer import RenderedVideo
from rvos.datasets.preparation.outputs import PreparedFolder
from rvos.datasets.preparation.ref_davis17 import SPLITS, prepare_ref_davis17


class RefDAVIS17Layout:
    """``DAVIS`` and ``davis_text_annotations``, converted by ``rvos data prepare``'s code.

    Objects without an expression of their own are background, the others are numbered from 1. An
    annotator has one expression per object; where an object has fewer than four, they repeat.

    Args:
        root: Root of the benchmark.

    Example:
        >>> RefDAVIS17Layout(Path("d")).davis.as_posix()
        'd/DAVIS'
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.davis = root / "DAVIS"

    def write_video(self, record: VideoRecord, rendered: RenderedVideo, partial: Path) -> None:
        """Write frames and masks of one video.

        Args:
            record: What the annotations say.
            rendered: Its pixels.
            partial: A folder to build others in.
        """
        numbers = np.zeros(256, dtype=np.uint8)
        for rank, object_id in enumerate(expressions_by_object(record), start=1):
            numbers[object_id] = rank
        folder = Path("480p") / record.video_id
        with replace_folder(self.davis / "JPEGImages" / folder, partial) as frames:
            for name, frame in zip(record.frames, rendered.frames, strict=True):
                write_jpeg(frames / f"{name}.jpg", frame)
        with replace_folder(self.davis / "Annotations_unsupervised" / folder, partial) as masks:
            for name, instances in zip(record.frames, rendered.instances, strict=True):
                write_palette_png(masks / f"{name}.png", numbers[instances])

    def write_annotations(self, records: Sequence[VideoRecord]) -> None:
        """Write lists, categories and texts of both splits, then convert them.

        Args:
            records: Not looked at: the files hold both splits, whose records are on disk.
        """
        del records
        semantics: dict[str, dict[str, str | None]] = {}
        texts: list[list[str]] = [[] for _ in ANNOTATORS]
        for image_set, split in SPLITS.items():
            described = [
                r for r in read_records(shared_state(self.root, split)) if expressions_by_object(r)
            ]
            names = "".join(f"{record.video_id}\n" for record in described)
            write_text(self.davis / "ImageSets" / "2017" / f"{image_set}.txt", names)
            for record in described:
                objects = expressions_by_object(record)
                semantics[record.video_id] = {
                    str(rank): record.objects[str(object_id)]["shape"]
                    for rank, object_id in enumerate(objects, start=1)
                }
                for rank, expressions in enumerate(objects.values(), start=1):
                    for annotator, lines in enumerate(texts):
                        text = expressions[annotator % len(expressions)]
                        lines.append(f'{record.video_id} {rank} "{text}"\n')
        write_json(self.davis / "davis_semantics.json", semantics)
        for (name, encoding), lines in zip(ANNOTATORS, texts, strict=True):
            write_text(self.root / TEXT_FOLDER / name, "".join(lines), encoding)
        prepare_ref_davis17(PreparedFolder(self.root))
