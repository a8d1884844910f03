"""Devices by name."""

import pytest
import torch

from rvos.inference.device import DeviceError, choose_device


def test_auto_takes_what_there_is() -> None:
    found = torch.accelerator.current_accelerator(check_available=True)
    assert choose_device("auto") == (found or torch.device("cpu"))


@pytest.mark.parametrize("name", ["abacus", "cuda:99", ""])
def test_a_device_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(DeviceError, match=f"no device '{name}' here; try --device cpu"):
        choose_device(name)
