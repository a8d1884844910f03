"""Checking RefCOCO, RefCOCO+ and RefCOCOg, as downloaded and as prepared."""

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from rvos.datasets.checking.inspection import Inspection
from rvos.datasets.errors import (
    DatasetError,
    FrameNotFoundError,
    MalformedAnnotationError,
)
from rvos.datasets.files import annotation_layout, read_frame, read_frame_size, read_json
from rvos.datasets.refcoco_files import (
    RELEASES,
    RefCOCOName,
    converted_path,
    instances_path,
    read_references,
)
from rvos.datasets.safe_names import check_name
from rvos.ops.coco_segmentation import segmentation_to_rle
from rvos.ops.rle import mask_area

_NAMES: tuple[RefCOCOName, ...] = get_args(RefCOCOName)
_PREPARE_AGAIN = "move it away and run `rvos data prepare` again"


def check_refcoco(inspection: Inspection, split: str) -> None:
    """Check one split of the set that the inspection is of.

    Args:
        inspection: Takes faults and counts.
        split: One that the set has.
    """
    root = inspection.root
    name = next(name for name in _NAMES if name == inspection.benchmark)
    folder = root / "train2014"
    if not inspection.has_folder(folder, "unpack COCO's train2014.zip there, or link the folder"):
        return
    path = converted_path(root, name, split)
    if not path.is_file() and instances_path(root, name).is_file():
        inspection.fault(path, "is missing", f"run `rvos data prepare {name} {root}`")
        return
    with inspection.collecting(path):
        content = read_json(path, RELEASES[name].title)
        with annotation_layout(path):
            _check_content(inspection, split, content, path)
        _compare_with_references(inspection, name, split, path, len(content["images"]))


def _check_content(inspection: Inspection, split: str, content: Any, path: Path) -> None:
    images = {int(image["id"]): image for image in content["images"]}
    owners = Counter(int(item["image_id"]) for item in content["annotations"])
    wrong = [number for number in images if owners[number] != 1] + [*(owners.keys() - images)]
    if wrong or len(images) != len(content["images"]):
        reason = f"image {min(wrong, default=0)} has not exactly one annotation"
        raise MalformedAnnotationError(path, reason)
    sizes: dict[str, tuple[int, int]] = {}
    for image in images.values():
        file_name = check_name(str(image["file_name"]), path)
        sizes[file_name] = (int(image["height"]), int(image["width"]))
        if not str(image["caption"]).strip():
            inspection.fault(path, f"has no expression for image {image['id']}", _PREPARE_AGAIN)
    _check_images(inspection, f"{inspection.benchmark} {split}", sizes)
    _check_objects(inspection, content["annotations"], images, path)
    counts = {
        "images": len(sizes),
        "objects": len({int(item["original_id"]) for item in content["annotations"]}),
        "expressions": len(images),
    }
    inspection.count(split, counts, path)


def _check_images(inspection: Inspection, title: str, sizes: Mapping[str, tuple[int, int]]) -> None:
    folder = inspection.root / "train2014"
    present = {entry.name for entry in os.scandir(folder)}
    found = []
    for file_name in sizes:
        if file_name in present:
            found.append(folder / file_name)
        else:
            inspection.fault_error(folder / file_name, FrameNotFoundError(folder / file_name))
    look = _decode if inspection.is_deep else _read_header
    for path, size in inspection.map(title, look, found):
        if isinstance(size, DatasetError):
            inspection.fault_error(path, size)
        elif size != sizes[path.name]:
            height, width = sizes[path.name]
            inspection.fault(
                path,
                f"is {size[0]}x{size[1]} (height x width), its annotations say {height}x{width}",
                "images and annotations must come from one release",
            )


def _decode(path: Path) -> tuple[int, int] | DatasetError:
    try:
        height, width, _ = read_frame(path).shape
    except DatasetError as error:
        return error
    return height, width


def _read_header(path: Path) -> tuple[int, int] | DatasetError:
    try:
        return read_frame_size(path)
    except DatasetError as error:
        return error


def _check_objects(
    inspection: Inspection, annotations: Any, images: Mapping[int, Any], path: Path
) -> None:
    """Look at boxes; with ``--deep``, rasterise every object once."""
    seen: set[int] = set()
    for item in annotations:
        number, image = int(item["original_id"]), images[int(item["image_id"])]
        if number in seen or item["iscrowd"]:
            continue
        seen.add(number)
        height, width = int(image["height"]), int(image["width"])
        left, top, box_width, box_height = (float(value) for value in item["bbox"])
        # Released boxes are rounded, so they may stand out by a pixel.
        if min(left, top) < -1 or left + box_width > width + 1 or top + box_height > height + 1:
            problem = f"has a box of annotation {number} that lies outside of its image"
            inspection.fault(path, problem, _PREPARE_AGAIN)
        if inspection.is_deep:
            rle = segmentation_to_rle(item["segmentation"], height, width)
            if mask_area(rle) == 0:
                problem = f"has an annotation without a pixel, {number}"
                inspection.warn(path, problem, "its expressions have an empty target")


def _compare_with_references(
    inspection: Inspection, name: RefCOCOName, split: str, path: Path, num_expressions: int
) -> None:
    """Notice a file that was made from other references than those beside it."""
    source = path.with_name(RELEASES[name].references)
    if not source.is_file():
        return
    with inspection.collecting(source):
        references = read_references(inspection.root, name)
        wanted = sum(len(item.expressions) for item in references if item.split == split)
        if wanted != num_expressions:
            problem = f"has {num_expressions} expressions, {source.name} has {wanted}"
            inspection.fault(path, problem, _PREPARE_AGAIN)
