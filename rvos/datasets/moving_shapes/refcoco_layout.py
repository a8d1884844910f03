"""MovingShapes as RefCOCO is downloaded: the middle frame of every video."""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rvos.datasets.files import write_bytes, write_json
from rvos.datasets.moving_shapes.described_objects import expressions_by_object
from rvos.datasets.moving_shapes.picture_files import write_jpeg
from rvos.datasets.moving_shapes.records import VideoRecord, read_records, shared_state
from rvos.datasets.moving_shapes.renderer import RenderedVideo
from rvos.datasets.moving_shapes.vocabulary import SHAPES
from rvos.datasets.preparation.outputs import PreparedFolder
from rvos.datasets.preparation.refcoco import prepare_refcoco
from rvos.datasets.refcoco_files import RELEASES, RefCOCOName
from rvos.ops.rle import RunLengthMask, mask_area, mask_box

_NAME: RefCOCOName = "refcoco"
_IMAGES_PER_SPLIT = 1_000_000
# Other kinds need more than one frame to be understood.
_STILL_KINDS = ("appearance",)


class RefCOCOLayout:
    """``train2014``, ``instances.json`` and the pickle, converted by ``rvos data prepare``'s code.

    Objects are run lengths where the release has polygons, so that they stay exact.

    Args:
        root: Root of the benchmark.
        folder: Name of the split.

    Example:
        >>> RefCOCOLayout(Path("coco"), "val").image_name("val", 6)
        'COCO_train2014_000001000007.jpg'
    """

    def __init__(self, root: Path, folder: str) -> None:
        self.root = root
        self.folder = folder

    def image_name(self, split: str, index: int) -> str:
        """Name of the image that is made from a video.

        Args:
            split: Split of the video.
            index: Its number there.

        Returns:
            The name.
        """
        return f"COCO_train2014_{_image_id(split, index):012d}.jpg"

    def write_video(self, record: VideoRecord, rendered: RenderedVideo, partial: Path) -> None:
        """Write the image of one video.

        Args:
            record: What the annotations say.
            rendered: Its pixels.
            partial: A folder to build others in.
        """
        partial.mkdir(parents=True, exist_ok=True)
        image = self.root / "train2014" / self.image_name(self.folder, record.index)
        image.parent.mkdir(parents=True, exist_ok=True)
        write_jpeg(partial / image.name, rendered.frames[len(record.frames) // 2])
        (partial / image.name).replace(image)
        partial.rmdir()

    def write_annotations(self, records: Sequence[VideoRecord]) -> None:
        """Write images, objects and references of all splits, then convert them.

        Args:
            records: Not looked at: the files hold all splits, whose records are on disk.
        """
        del records
        content: dict[str, Any] = {"info": {"description": _NAME}, "licenses": []}
        content |= {"images": [], "annotations": []}
        content["categories"] = [
            {"id": number, "name": shape, "supercategory": "shape"}
            for number, shape in enumerate(SHAPES, start=1)
        ]
        references: list[dict[str, Any]] = []
        for split in RELEASES[_NAME].splits:
            for record in read_records(shared_state(self.root, split)):
                self._add(split, record, content, references)
        folder = self.root / _NAME
        write_json(folder / "instances.json", content)
        write_bytes(folder / RELEASES[_NAME].references, pickle.dumps(references, protocol=2))
        prepare_refcoco(PreparedFolder(self.root), _NAME)

    def _add(
        self,
        split: str,
        record: VideoRecord,
        content: dict[str, Any],
        references: list[dict[str, Any]],
    ) -> None:
        image_id, name = _image_id(split, record.index), self.image_name(split, record.index)
        described = expressions_by_object(record, _STILL_KINDS)
        middle = len(record.frames) // 2
        shown = {key: masks[middle] for key, masks in record.masks.items() if masks[middle]}
        if not shown:
            return
        for key, mask in shown.items():
            assert mask is not None
            height, width = (int(number) for number in mask["size"])
            rle = RunLengthMask(height, width, str(mask["counts"]).encode("ascii"))
            shape = SHAPES.index(record.objects[key]["shape"])
            annotation = {
                "id": image_id * 10 + int(key),
                "image_id": image_id,
                "category_id": shape + 1,
                "segmentation": mask,
                "area": float(mask_area(rle)),
                "bbox": mask_box(rle),
                "iscrowd": 0,
            }
            content["annotations"].append(annotation)
            if int(key) in described:
                references.append(
                    _reference(references, annotation, split, name, described[int(key)])
                )
        content["images"].append(
            {"id": image_id, "file_name": name, "height": height, "width": width}
        )


def _image_id(split: str, index: int) -> int:
    return RELEASES[_NAME].splits.index(split) * _IMAGES_PER_SPLIT + index + 1


def _reference(
    earlier: Sequence[dict[str, Any]],
    annotation: dict[str, Any],
    split: str,
    name: str,
    expressions: Sequence[str],
) -> dict[str, Any]:
    first = earlier[-1]["sent_ids"][-1] + 1 if earlier else 0
    sentences = [
        {"sent_id": number, "sent": text, "raw": text, "tokens": text.split()}
        for number, text in enumerate(expressions, start=first)
    ]
    return {
        "ref_id": len(earlier) + 1,
        "ann_id": annotation["id"],
        "image_id": annotation["image_id"],
        "category_id": annotation["category_id"],
        "split": split,
        "file_name": name,
        "sent_ids": [sentence["sent_id"] for sentence in sentences],
        "sentences": sentences,
    }
