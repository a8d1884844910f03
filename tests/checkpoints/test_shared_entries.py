"""One module under several names."""

import pytest
import torch

from rvos.checkpoints.files import CheckpointError
from rvos.checkpoints.shared_entries import rename_entries

NAMES = {"head.0.bias": "head.bias", "head.1.bias": "head.bias"}


def test_equal_values_become_one_entry() -> None:
    entries = {name: torch.arange(3.0) for name in (*NAMES, "epoch")}
    renamed, unknown = rename_entries(entries, NAMES.get)
    assert renamed.keys() == {"head.bias"}
    assert torch.equal(renamed["head.bias"], torch.arange(3.0))
    assert unknown == ["epoch"]


@pytest.mark.parametrize("other", [torch.ones(3), torch.zeros(4)])
def test_other_values_are_refused_by_name(other: torch.Tensor) -> None:
    entries = {"head.0.bias": torch.zeros(3), "head.1.bias": other}
    with pytest.raises(CheckpointError, match=r"head\.1\.bias differs"):
        rename_entries(entries, NAMES.get)
