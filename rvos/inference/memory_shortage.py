"""Running out of memory, whoever says so."""

import torch

# What torch's allocator for the CPU says, in a plain RuntimeError.
_CPU_ALLOCATOR = ("can't allocate memory", "not enough memory", "Cannot allocate memory")
# Everything that may be such an error; ``is_out_of_memory`` tells.
MEMORY_ERRORS = (torch.OutOfMemoryError, MemoryError, RuntimeError)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is short, that of an accelerator or of the machine.

    Args:
        error: The error.

    Returns:
        True if so; work on fewer frames may then succeed.

    >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("shapes do not fit"))
    (True, False)
    >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"))
    True
    """
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(said in str(error) for said in _CPU_ALLOCATOR)
