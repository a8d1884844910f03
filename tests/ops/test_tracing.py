import torch
from torch import Tensor, nn

from rvos.ops.tracing import is_traced

SEEN: list[bool] = []


class Recorder(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        # Not in the module, whose state an export restores.
        SEEN.append(is_traced(values))
        return values + 1


def test_plain_tensors_and_parameters_are_not() -> None:
    assert not is_traced(torch.zeros(2))
    assert not is_traced(nn.Parameter(torch.zeros(2)))


def test_every_pass_of_an_export_is() -> None:
    SEEN.clear()
    torch.export.export(Recorder(), (torch.zeros(2),), strict=False)
    assert SEEN
    assert all(SEEN)
