"""Levers: modules that compute the same as the plain ones, faster, and can be switched off by name.

A lever is exact up to rounding. Switching it off runs the plain implementation on the same weights,
so that what it gains, and what it changes in the last bits, can be measured in one process.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import ClassVar

from torch import nn

from rvos.structures.errors import RvosError


class UnknownLeverError(RvosError):
    """No module of the model has a lever of this name."""


class Switchable:
    """Mixin of modules with a fast way and a plain one.

    Attributes:
        lever: Name of the lever.
        enabled: Whether the fast way is taken.
    """

    lever: ClassVar[str]
    enabled: bool = True


def levers_of(model: nn.Module) -> list[str]:
    """List the levers that a model has, in alphabetical order.

    Args:
        model: Any model.

    >>> levers_of(nn.Linear(2, 2))
    []
    """
    return sorted({module.lever for module in model.modules() if isinstance(module, Switchable)})


@contextmanager
def levers_off(model: nn.Module, names: Collection[str] | None = None) -> Iterator[None]:
    """Switch levers off for a while.

    Args:
        model: The model.
        names: Levers; None = all of them.

    Raises:
        UnknownLeverError: If the model has none of such a name.

    >>> with levers_off(nn.Linear(2, 2)):
    ...     pass
    """
    known = levers_of(model)
    unknown = sorted(set(names or ()).difference(known))
    if unknown:
        message = f"no lever {unknown[0]!r}; there are {', '.join(known) or 'none'}"
        raise UnknownLeverError(message)
    chosen = [
        module
        for module in model.modules()
        if isinstance(module, Switchable) and (names is None or module.lever in names)
    ]
    before = [module.enabled for module in chosen]
    for module in chosen:
        module.enabled = False
    try:
        yield
    finally:
        for module, enabled in zip(chosen, before, strict=True):
            module.enabled = enabled
