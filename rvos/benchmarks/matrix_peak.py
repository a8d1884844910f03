"""How fast this machine multiplies matrices: what any speed is measured against."""

import torch

from rvos.benchmarks.stage_timer import read_clock
from rvos.layers.onednn_linear import OneDNNLinear

# Large enough that memory is no limit, small enough for a fraction of a second.
_SIDE_CPU = 2048
_SIDE_ACCELERATOR = 8192
_PRODUCTS = 3


@torch.no_grad()
def measure_matrix_peak(device: torch.device, dtype: torch.dtype, side: int | None = None) -> float:
    """Multiply square matrices a few times.

    Args:
        device: Where; a processor uses as many threads as torch does.
        dtype: Of the matrices.
        side: Rows and columns; None = large enough for the device.

    Returns:
        Multiplications and additions per second of the fastest product.

    >>> measure_matrix_peak(torch.device("cpu"), torch.float32, side=64) > 0
    True
    """
    side = side or (_SIDE_CPU if device.type == "cpu" else _SIDE_ACCELERATOR)
    matrix = torch.rand(side, side, device=device).to(dtype)
    layer = OneDNNLinear(side, side, bias=False, device=device, dtype=dtype)
    layer.weight.data = matrix
    fastest = float("inf")
    # What torch takes by itself is on some processors not the fastest that it has.
    for multiply in (matrix.mm, layer):
        multiply(matrix)
        for _ in range(_PRODUCTS):
            start = read_clock(device)
            multiply(matrix)
            fastest = min(fastest, read_clock(device) - start)
    return 2.0 * side**3 / fastest
