"""RefCOCO, RefCOCO+ and RefCOCOg: one COCO file per split, with one image per expression."""

from collections.abc import Mapping
from typing import Any

from rvos.datasets.errors import MalformedAnnotationError
from rvos.datasets.files import annotation_layout, read_json
from rvos.datasets.preparation.outputs import PreparedFolder, fingerprint
from rvos.datasets.refcoco_files import (
    RELEASES,
    RefCOCOName,
    Reference,
    converted_path,
    instances_path,
    read_references,
)

_COPIED = ("info", "licenses", "categories")
_OF_IMAGE = ("file_name", "height", "width")
_OF_ANNOTATION = ("segmentation", "area", "iscrowd", "bbox", "category_id")


def prepare_refcoco(folder: PreparedFolder, name: RefCOCOName) -> None:
    """Write ``instances_<set>_<split>.json`` for every split.

    Args:
        folder: Root with ``train2014`` and the sets.
        name: The set.

    Raises:
        DatasetError: If a file is missing, damaged or hostile.
        PreparationError: If another file is where an output goes.
    """
    release = RELEASES[name]
    instances = instances_path(folder.root, name)
    inputs = fingerprint([instances, folder.root / name / release.references])
    outputs = {split: converted_path(folder.root, name, split) for split in release.splits}
    current = [folder.is_current(path, inputs) for path in outputs.values()]
    if all(current):
        return
    references = read_references(folder.root, name)
    source = read_json(instances, release.title)
    with annotation_layout(instances):
        images = {image["id"]: image for image in source["images"]}
        annotations = {item["id"]: item for item in source["annotations"]}
        for reference in references:
            if reference.image_id not in images or reference.annotation_id not in annotations:
                reason = (
                    f"it lacks image {reference.image_id} or annotation {reference.annotation_id} "
                    f"of reference {reference.ref_id}"
                )
                raise MalformedAnnotationError(instances, reason)
        for split, path in outputs.items():
            chosen = [reference for reference in references if reference.split == split]
            content = {key: source[key] for key in _COPIED if key in source}
            content |= convert_references(chosen, images, annotations, name)
            folder.write(path, content, inputs)


def convert_references(
    references: list[Reference],
    images: Mapping[int, Mapping[str, Any]],
    annotations: Mapping[int, Mapping[str, Any]],
    name: str,
) -> dict[str, list[dict[str, Any]]]:
    """List one image and one annotation, of the same id, per expression.

    Args:
        references: Those of one split.
        images: Image per id.
        annotations: Annotation per id.
        name: The set, stored with every image.

    Returns:
        ``images`` and ``annotations``.

    >>> image = {"file_name": "a.jpg", "height": 2, "width": 3}
    >>> item = dict.fromkeys(("segmentation", "area", "iscrowd", "bbox", "category_id"))
    >>> reference = Reference(1, 7, 5, "val", ("left dog", "dog"))
    >>> converted = convert_references([reference], {5: image}, {7: item}, "refcoco")
    >>> [(entry["id"], entry["caption"]) for entry in converted["images"]]
    [(1, 'left dog'), (2, 'dog')]
    """
    new_images: list[dict[str, Any]] = []
    new_annotations: list[dict[str, Any]] = []
    for reference in references:
        image, annotation = images[reference.image_id], annotations[reference.annotation_id]
        for expression in reference.expressions:
            number = len(new_images) + 1
            new_images.append(
                {key: image[key] for key in _OF_IMAGE}
                | {"original_id": reference.image_id, "id": number, "caption": expression}
                | {"dataset_name": name}
            )
            new_annotations.append(
                {key: annotation[key] for key in _OF_ANNOTATION}
                | {"image_id": number, "id": number, "original_id": reference.annotation_id}
            )
    return {"images": new_images, "annotations": new_annotations}
