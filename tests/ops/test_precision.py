import pytest
import torch

from rvos.ops.precision import at_least_float32, without_autocast


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_half_precision_is_raised(given: torch.dtype, expected: torch.dtype) -> None:
    values = torch.tensor([0.5, -3.0], dtype=given)
    raised = at_least_float32(values)
    assert raised.dtype == expected
    assert torch.equal(raised.to(given), values)
    assert (raised is values) == (given == expected)


def test_the_block_computes_in_full_precision() -> None:
    torch.manual_seed(0)
    left, right = torch.randn(4, 4), torch.randn(4, 4)
    exact = left @ right
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with without_autocast(left.device):
            inside = left @ right
        after = left @ right
    assert torch.equal(inside, exact)
    # The block ends where it ends.
    assert after.dtype == torch.bfloat16


def test_nothing_is_switched_where_autocast_is_off() -> None:
    with without_autocast(torch.device("cpu")):
        assert not torch.is_autocast_enabled("cpu")
    with without_autocast(torch.device("meta")) as nothing:
        assert nothing is None
