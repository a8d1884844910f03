import pytest
import torch

from rvos.inference.memory_shortage import is_out_of_memory


def test_the_allocator_of_the_cpu_is_understood() -> None:
    """What torch really says; the text is not documented."""
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**58, dtype=torch.uint8)
    assert is_out_of_memory(raised.value)


def test_other_errors_are_none() -> None:
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not is_out_of_memory(ValueError("can't allocate memory"))
