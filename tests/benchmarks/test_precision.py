"""Precisions are entered and left."""

import torch

from rvos.benchmarks.precision import autocast, full_float32

CPU = torch.device("cpu")


def test_float32_is_full_inside_and_as_before_outside() -> None:
    torch.set_float32_matmul_precision("high")
    try:
        with full_float32():
            assert torch.get_float32_matmul_precision() == "highest"
            assert not torch.backends.cudnn.allow_tf32
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")


def test_float32_is_no_autocast() -> None:
    with autocast(CPU, "float32"):
        assert not torch.is_autocast_enabled("cpu")
    with autocast(CPU, "float16"):
        assert (torch.ones(1, 1) @ torch.ones(1, 1)).dtype == torch.float16
