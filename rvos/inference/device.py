"""Devices by name."""

import torch

from rvos.structures.errors import RvosError


class DeviceError(RvosError):
    """The named device is not there."""


def choose_device(name: str) -> torch.device:
    """Find a device and see that it works.

    Args:
        name: For example ``cpu`` or ``cuda:0``; ``auto`` is the accelerator if there is one.

    Returns:
        The device.

    Raises:
        DeviceError: There is no such device here.

    >>> choose_device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        found = torch.accelerator.current_accelerator(check_available=True)
        return found or torch.device("cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        message = f"there is no device {name!r} here; try --device cpu"
        raise DeviceError(message) from error
    return device
