"""Files that list one module under several names."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from rvos.checkpoints.files import CheckpointError
from rvos.checkpoints.renaming import StateDict


def rename_entries(
    entries: Mapping[str, Tensor], rename: Callable[[str], str | None]
) -> tuple[StateDict, list[str]]:
    """Rename the entries of a file that may list shared modules under several names.

    Args:
        entries: As the file has them.
        rename: New name of a key; None where nothing here knows it.

    Returns:
        The entries under their new names, and the keys that are not known.

    Raises:
        CheckpointError: Two names of one shared tensor hold different values.

    Example:
        >>> rename_entries({"a.x": torch.zeros(1), "y": torch.ones(1)}, {"a.x": "b.x"}.get)
        ({'b.x': tensor([0.])}, ['y'])
    """
    renamed: StateDict = {}
    unknown = []
    for key, value in entries.items():
        name = rename(key)
        if name is None:
            unknown.append(key)
        elif name in renamed and is_another_value(renamed[name], value):
            message = (
                f"{key} differs from other entries that name the same shared module; "
                "download the file again"
            )
            raise CheckpointError(message)
        else:
            renamed[name] = value
    return renamed, unknown


def is_another_value(first: Tensor, second: Tensor) -> bool:
    """Tell whether two entries of a file, which should be one shared tensor, are not.

    Args:
        first: A tensor.
        second: What a second name of the same tensor holds.

    Example:
        >>> is_another_value(torch.zeros(2), torch.zeros(2))
        False
    """
    if first.shape != second.shape:
        return True
    # Tensors without memory, and one memory under two names, need no look at the values.
    if first.is_meta or first.data_ptr() == second.data_ptr():
        return False
    return not torch.equal(first, second)
