"""The peak is operations over time."""

import pytest
import torch

from rvos.benchmarks import matrix_peak


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_peak_is_that_of_the_fastest_product(
    dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Six products, three of each kind; the fifth takes half a second, the others more.
    durations = [1.0, 2.0, 1.0, 3.0, 0.5, 1.0]
    clock = iter([moment for duration in durations for moment in (0.0, duration)])
    monkeypatch.setattr(matrix_peak, "read_clock", lambda _: next(clock))
    peak = matrix_peak.measure_matrix_peak(torch.device("cpu"), dtype, side=8)
    assert peak == 2 * 8**3 / 0.5
