"""Modules that remember how they were built, so that a folder can rebuild them."""

import functools
import importlib
import inspect
from typing import Any

from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook

from rvos.structures.errors import RvosError

Description = dict[str, Any]

# A model has some twenty parts; what names thousands, or holds itself, is no description of one.
MOST_PARTS = 1000
# Modules of transformers count too: the largest published model has less than 3,000.
MOST_MODULES = 50_000
# No width, length or vocabulary of a model is larger; a billion of anything would be built until
# the memory is full.
LARGEST_NUMBER = 1 << 20
_PACKAGE = "rvos."
_MOST_VALUES = 100_000
_DEEPEST = 50
_LONGEST_REASON = 200


class DescribedModule(nn.Module):
    """An ``nn.Module`` whose constructor arguments are kept in ``self.init_args``.

    Subclasses take plain values and other described modules only; :func:`describe` writes them in
    the ``class_path`` / ``init_args`` form of a YAML file and :func:`build` reads that form.
    """

    init_args: dict[str, Any]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Wrap the constructor of every subclass."""
        super().__init_subclass__(**kwargs)
        if "__init__" not in cls.__dict__:
            return
        original = cls.__init__
        signature = inspect.signature(original)

        @functools.wraps(original)
        def init(self: DescribedModule, *args: Any, **kwargs: Any) -> None:
            bound = signature.bind(self, *args, **kwargs)
            bound.apply_defaults()
            arguments = dict(bound.arguments)
            arguments.pop("self")
            original(self, *args, **kwargs)
            if type(self).__init__ is init:
                # Past nn.Module.__setattr__, which would register child modules a second time.
                object.__setattr__(self, "init_args", arguments)

        cls.__init__ = init  # type: ignore[method-assign,assignment]


def describe(value: object) -> Any:
    """Write a module tree as nested ``class_path`` / ``init_args`` mappings.

    Args:
        value: A described module, or a plain value, which is returned unchanged.

    Example:
        >>> class Twice(DescribedModule):
        ...     def __init__(self, factor: int = 2) -> None:
        ...         super().__init__()
        >>> describe(Twice())["init_args"]
        {'factor': 2}
    """
    if not isinstance(value, DescribedModule):
        return value
    path = f"{type(value).__module__}.{type(value).__qualname__}"
    return {
        "class_path": path,
        "init_args": {name: describe(argument) for name, argument in value.init_args.items()},
    }


def build(description: Any) -> Any:
    """Rebuild what :func:`describe` wrote.

    Only classes of this package are built, so that a config file from elsewhere runs no other code.

    Args:
        description: The mapping, or a plain value, which is returned unchanged.

    Raises:
        RvosError: A class is not one of rvos's described modules, or does not take the arguments;
            or the model would be larger than any.
    """
    if not _is_part(description):
        return description
    _check_values(description)
    count = 0

    def register(module: nn.Module, name: str, submodule: nn.Module | None) -> None:
        nonlocal count
        count += 1
        if count > MOST_MODULES:
            message = f"config describes a model of more than {MOST_MODULES} modules"
            raise RvosError(message)

    hook = register_module_module_registration_hook(register)
    try:
        return _build(description)
    finally:
        hook.remove()


def _build(description: Any) -> Any:
    if not _is_part(description):
        return description
    cls = _find_class(description["class_path"])
    values = description.get("init_args", {})
    arguments = {name: _build(value) for name, value in values.items()}
    try:
        return cls(**arguments)
    except RvosError:
        raise
    # Constructors of torch and transformers raise whatever the first wrong value leads to.
    except Exception as error:
        reason = " ".join(str(error).split())[:_LONGEST_REASON]
        message = f"config gives {cls.__name__} arguments that it does not take: {reason}"
        raise RvosError(message) from error


def _is_part(value: object) -> bool:
    return isinstance(value, dict) and "class_path" in value


def _find_class(path: object) -> type[DescribedModule]:
    """Find a class by name; nothing outside the package is imported."""
    shown = repr(path)[:_LONGEST_REASON]
    module_name, _, class_name = str(path).rpartition(".")
    if not (isinstance(path, str) and module_name.startswith(_PACKAGE)):
        message = f"config names {shown}; only classes of rvos can be built"
        raise RvosError(message)
    try:
        cls = getattr(importlib.import_module(module_name), class_name)
    # A name that ends in a dot, or holds two of them, is no module either.
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        message = f"config names {shown}, which this version of rvos lacks"
        raise RvosError(message) from error
    # A class that a module of rvos has imported from elsewhere is none of rvos.
    if not (inspect.isclass(cls) and issubclass(cls, DescribedModule)):
        message = f"config names {shown}, which is not a model part"
        raise RvosError(message)
    return cls


def _check_values(description: Description) -> None:
    """Refuse what would be built without end: too many parts, too deep, too large a number."""
    pending: list[tuple[Any, int]] = [(description, 0)]
    num_values = num_parts = 0
    while pending:
        value, depth = pending.pop()
        num_values += 1
        num_parts += _is_part(value)
        if num_values > _MOST_VALUES or num_parts > MOST_PARTS or depth > _DEEPEST:
            message = "config describes no model: it holds too many values, or too deep ones"
            raise RvosError(message)
        if isinstance(value, int | float) and not abs(value) <= LARGEST_NUMBER:
            message = (
                f"config holds the number {value:.3g}, which no part of a model is as large as"
            )
            raise RvosError(message)
        if isinstance(value, dict):
            if _is_part(value) and not isinstance(value.get("init_args", {}), dict):
                message = "config has init_args that are no mapping"
                raise RvosError(message)
            pending += [(part, depth + 1) for part in value.values()]
        elif isinstance(value, list | tuple):
            pending += [(part, depth + 1) for part in value]
