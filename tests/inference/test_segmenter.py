import inspect

from torch import nn

from rvos.inference.segmenter import Segmenter
from rvos.models.referdino import ReferDINO


def test_referdino_keeps_the_contract() -> None:
    for name, wanted in inspect.getmembers(Segmenter, inspect.isfunction):
        if not name.startswith("_"):
            offered = inspect.signature(getattr(ReferDINO, name)).parameters
            assert set(inspect.signature(wanted).parameters) <= set(offered), name


def test_a_model_without_the_contract_is_none(colour_model: nn.Module) -> None:
    assert isinstance(colour_model, Segmenter)
    assert not isinstance(nn.Identity(), Segmenter)
