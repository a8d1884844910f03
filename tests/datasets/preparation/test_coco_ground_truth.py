from pathlib import Path

import numpy as np

from rvos.datasets.preparation.coco_ground_truth import mask_record, write_ground_truth
from rvos.datasets.preparation.outputs import PreparedFolder
from rvos.ops.rle import RunLengthMask, decode_mask


def test_record_decodes_to_its_mask() -> None:
    mask = np.random.default_rng(0).random((7, 9)) > 0.5
    record = mask_record(mask)
    rle = RunLengthMask(*record["segmentation"]["size"], record["segmentation"]["counts"].encode())
    np.testing.assert_array_equal(decode_mask(rle), mask)
    assert record["area"] == mask.sum()


def test_journal_is_gone_and_nothing_is_described_again(tmp_path: Path) -> None:
    path, described = tmp_path / "truth.json", []

    def describe(index: int) -> dict[str, object]:
        described.append(index)
        return mask_record(np.eye(3, dtype=bool))

    for _ in range(2):
        write_ground_truth(PreparedFolder(tmp_path), path, ["a", "b"], describe, "one", False)
    assert described == [0, 1]
    assert [p.name for p in (tmp_path / ".rvos").iterdir()] == ["prepared.json"]
    write_ground_truth(PreparedFolder(tmp_path), path, ["a", "b"], describe, "two", False)
    assert described == [0, 1, 0, 1]
