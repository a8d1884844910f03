import pytest
from torch import nn

from rvos.layers.levers import Switchable, UnknownLeverError, levers_of, levers_off


class Fast(nn.Module, Switchable):
    lever = "fast"


class Faster(nn.Module, Switchable):
    lever = "faster"


@pytest.fixture
def model() -> nn.ModuleList:
    return nn.ModuleList([Fast(), Faster(), Fast()])


def states(model: nn.ModuleList) -> list[bool]:
    return [module.enabled for module in model]


def test_levers_are_listed_once(model: nn.ModuleList) -> None:
    assert levers_of(model) == ["fast", "faster"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [(None, [False] * 3), ((), [True] * 3), (["fast"], [False, True, False])],
)
def test_off_for_a_while(
    model: nn.ModuleList, names: list[str] | None, expected: list[bool]
) -> None:
    with levers_off(model, names):
        assert states(model) == expected
    assert states(model) == [True] * 3


def test_what_was_off_stays_off_even_after_an_error(model: nn.ModuleList) -> None:
    with levers_off(model, ["faster"]):
        with pytest.raises(UnknownLeverError), levers_off(model), levers_off(model, ["no"]):
            pass
        assert states(model) == [True, False, True]


def test_an_unknown_lever_is_named_with_those_there_are(model: nn.ModuleList) -> None:
    with (
        pytest.raises(UnknownLeverError, match="no lever 'fats'; there are fast, faster"),
        levers_off(model, ["fats"]),
    ):
        pass
    with (
        pytest.raises(UnknownLeverError, match="there are none"),
        levers_off(nn.Linear(1, 1), ["fast"]),
    ):
        pass
