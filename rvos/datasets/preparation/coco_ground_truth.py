"""Ground truth in COCO form, made sample by sample from masks."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from rvos.datasets.files import JSONObject
from rvos.datasets.preparation.journal import Journal, journal_path
from rvos.datasets.preparation.outputs import PreparedFolder
from rvos.datasets.preparation.progress import make_item_bar
from rvos.ops.rle import encode_mask, mask_area


def mask_record(mask: Bool[np.ndarray, "h w"]) -> JSONObject:
    """Describe one mask as COCO does.

    Args:
        mask: ``[H, W]``, True on the object.

    Returns:
        ``segmentation`` and ``area``.

    >>> mask_record(np.eye(2, dtype=bool))["area"]
    2.0
    """
    rle = encode_mask(mask)
    segmentation = {"size": [rle.height, rle.width], "counts": rle.counts.decode("ascii")}
    return {"segmentation": segmentation, "area": float(mask_area(rle))}


def write_ground_truth(
    folder: PreparedFolder,
    path: Path,
    image_ids: Sequence[str],
    describe: Callable[[int], JSONObject],
    inputs: str,
    progress: bool,
) -> None:
    """Write one image and one annotation per sample; a killed run goes on where it stopped.

    Args:
        folder: The benchmark.
        path: The output.
        image_ids: Id per sample.
        describe: Makes ``segmentation``, ``area`` and perhaps ``bbox`` of a sample, by its index.
        inputs: Fingerprint of all that the samples are made from.
        progress: Show a bar with the time left.
    """
    if folder.is_current(path, inputs):
        return
    journal = Journal(journal_path(path, folder.root), inputs)
    with (
        journal.writing(),
        make_item_bar(path.name, len(image_ids), "sample", progress) as bar,
    ):
        for index, image_id in enumerate(image_ids):
            if image_id not in journal.done:
                journal.add(image_id, describe(index))
            bar.update()
    images, annotations = [], []
    for number, image_id in enumerate(image_ids, start=1):
        record = journal.done[image_id]
        height, width = record["segmentation"]["size"]
        images.append({"id": image_id, "height": height, "width": width})
        identity = {"id": number, "image_id": image_id, "category_id": 1}
        annotations.append(identity | record | {"iscrowd": 0})
    content = {
        "categories": [{"id": 1, "name": "dummy_class"}],
        "images": images,
        "annotations": annotations,
    }
    folder.write(path, content, inputs)
    journal.discard()
