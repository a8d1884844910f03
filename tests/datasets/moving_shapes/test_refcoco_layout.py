import json
from dataclasses import replace
from pathlib import Path

from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.writer import write_moving_shapes
from rvos.datasets.refcoco_files import read_references
from rvos.ops.rle import RunLengthMask, decode_mask


def test_ids_are_unique_and_boxes_fit_their_masks(tmp_path: Path) -> None:
    preset = replace(HELD_OUT, num_frames=4)
    for split in ("train", "valid"):
        write_moving_shapes(
            tmp_path, layout="refcoco", split=split, num_videos=2, preset=preset, progress=False
        )
    content = json.loads((tmp_path / "refcoco" / "instances.json").read_text())
    for entries in (content["images"], content["annotations"]):
        assert len({entry["id"] for entry in entries}) == len(entries) > 0
    for entry in content["annotations"]:
        rle = entry["segmentation"]
        mask = decode_mask(RunLengthMask(*rle["size"], rle["counts"].encode()))
        left, top, width, height = (int(number) for number in entry["bbox"])
        assert mask.sum() == mask[top : top + height, left : left + width].sum() == entry["area"]
    references = read_references(tmp_path, "refcoco")
    assert [item.ref_id for item in references] == list(range(1, len(references) + 1))
    assert {item.split for item in references} == {"train", "val"}
