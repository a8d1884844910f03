import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rvos.datasets.errors import DatasetNotFoundError, MalformedAnnotationError
from rvos.datasets.refcoco_index import read_refcoco_index
from rvos.ops.rle import decode_mask, encode_mask

TRAIN = Path("refcoco") / "instances_refcoco_train.json"


def _edit(path: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_rows_are_the_sentences_of_the_converted_files(refcoco_root: Path) -> None:
    paths = sorted(refcoco_root.glob("*/instances_*.json"))
    assert len(paths) == 11
    for path in paths:
        content = json.loads(path.read_text())
        index = read_refcoco_index(path)
        images = content["images"]
        assert [index.expressions[row] for row in range(len(index))] == [
            image["caption"] for image in images
        ]
        assert index.expression_ids.tolist() == [image["id"] for image in images]
        names = [index.file_names[image] for image in index.image_of.tolist()]
        assert names == [image["file_name"] for image in images]
        sizes = index.image_sizes[index.image_of].tolist()
        assert sizes == [[image["height"], image["width"]] for image in images]
        assert index.num_crowds == 0


def test_images_and_objects_are_held_once(refcoco_root: Path) -> None:
    index = read_refcoco_index(refcoco_root / TRAIN)
    assert (len(index), len(index.file_names)) == (11, 2)
    assert index.object_of.tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 3]
    boxes = [np.argwhere(decode_mask(index.mask(row))) for row in (0, 3)]
    # Polygons 11..19 x 14..24 and, of two parts, 14..27 x 5..32.
    assert (boxes[0].min(0).tolist(), boxes[0].max(0).tolist()) == ([14, 11], [23, 18])
    assert (boxes[1].min(0).tolist(), boxes[1].max(0).tolist()) == ([5, 14], [31, 26])


def test_crowds_and_run_lengths(refcoco_root: Path) -> None:
    mask = np.zeros((49, 65), dtype=bool)
    mask[3:9, 4:20] = True

    def change(content: Any) -> None:
        for row in (0, 1, 2):
            content["annotations"][row]["iscrowd"] = 1
        text = encode_mask(mask).counts.decode()
        for row in (3, 4):
            content["annotations"][row]["segmentation"] = {"size": [49, 65], "counts": text}

    _edit(refcoco_root / TRAIN, change)
    index = read_refcoco_index(refcoco_root / TRAIN)
    assert (len(index), index.num_crowds) == (8, 3)
    assert index.expression_ids.tolist()[:2] == [4, 5]
    np.testing.assert_array_equal(decode_mask(index.mask(0)), mask)


def test_first_images_can_be_chosen(refcoco_root: Path) -> None:
    def interleave(content: Any) -> None:
        content["images"] = [content["images"][row] for row in (0, 5, 1, 6)]

    _edit(refcoco_root / TRAIN, interleave)
    index = read_refcoco_index(refcoco_root / TRAIN, max_images=1)
    assert index.expression_ids.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("annotations"), "no entry 'annotations'"),
        (lambda c: c["images"][0].pop("caption"), "no entry 'caption'"),
        (lambda c: c["annotations"].pop(2), "image 3 has no annotation"),
        (lambda c: c["annotations"][1].update(image_id=1), "image 1 has two annotations"),
        (lambda c: c["annotations"][0].update(segmentation=[[1, 2]]), "annotation 1: a polygon"),
        (lambda c: c.update(images=3), "entry of the wrong kind"),
    ],
)
def test_broken_files_say_what_is_wrong(
    refcoco_root: Path, change: Callable[[Any], None], message: str
) -> None:
    _edit(refcoco_root / TRAIN, change)
    with pytest.raises(MalformedAnnotationError, match=message) as caught:
        read_refcoco_index(refcoco_root / TRAIN)
    assert str(refcoco_root / TRAIN) in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match="RefCOCO"):
        read_refcoco_index(tmp_path / TRAIN)
