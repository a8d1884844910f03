"""What can be said of the fused kernel without Triton."""

import pytest
import torch

from rvos.ops import triton_sampling
from rvos.ops.triton_sampling import TritonMissingError, sample_with_triton, triton_available

SHAPES = [(2, 3), (1, 1)]


def make_inputs(device: str = "cpu") -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    places = torch.rand(2, 5, 4, 2, 3, 2, device=device)
    return (
        torch.rand(2, 7, 4, 8, device=device),
        places,
        torch.rand(places.shape[:-1], device=device),
    )


def test_it_is_offered_on_cuda_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for installed in (True, False):
        monkeypatch.setattr(triton_sampling, "_is_installed", lambda value=installed: value)
        assert triton_available(torch.device("cuda", 1)) == installed
        assert not triton_available(torch.device("cpu"))


def test_without_triton_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton_sampling, "_is_installed", lambda: False)
    value, places, weights = make_inputs()
    with pytest.raises(TritonMissingError, match=r"pip install 'rvos\[triton\]'"):
        sample_with_triton(value, SHAPES, places, weights)


def test_levels_that_do_not_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton_sampling, "_is_installed", lambda: True)
    value, places, weights = make_inputs()
    for shapes in ([(2, 2), (1, 1)], [(2, 3), (1, 0), (1, 1)]):
        with pytest.raises(ValueError, match=r"Expected \d tokens and"):
            sample_with_triton(value, shapes, places, weights)


def test_compilers_learn_the_shapes_without_running_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton_sampling, "_is_installed", lambda: True)
    value, places, weights = (each.requires_grad_() for each in make_inputs("meta"))
    sums = sample_with_triton(value, SHAPES, places, weights)
    assert sums.shape == (2, 5, 32)
    gradients = torch.autograd.grad(sums.sum(), (value, places, weights))
    assert [each.shape for each in gradients] == [value.shape, places.shape, weights.shape]


def test_every_sample_knows_its_map() -> None:
    maps = triton_sampling._maps_of_samples((2, 3, 1, 1), 2, torch.device("cpu"))
    assert maps.tolist() == [[2, 3, 0], [2, 3, 0], [1, 1, 6], [1, 1, 6], [0, 0, 7]]
