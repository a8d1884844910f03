"""Modules that remember how they were built, so that a folder can rebuild them."""

import functools
import importlib
import inspect
from typing import Any

from torch import nn

from rvos.structures.errors import RvosError

Description = dict[str, Any]


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


def describe(value: Any) -> Any:
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
        RvosError: A class is not one of rvos's described modules, or does not take the arguments.
    """
    if not (isinstance(description, dict) and "class_path" in description):
        return description
    module_name, _, class_name = str(description["class_path"]).rpartition(".")
    if not module_name.startswith("rvos."):
        message = f"config names {description['class_path']!r}; only classes of rvos can be built"
        raise RvosError(message)
    try:
        cls = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        message = f"config names {description['class_path']!r}, which this version of rvos lacks"
        raise RvosError(message) from error
    if not (inspect.isclass(cls) and issubclass(cls, DescribedModule)):
        message = f"config names {description['class_path']!r}, which is not a model part"
        raise RvosError(message)
    arguments = {name: build(value) for name, value in description.get("init_args", {}).items()}
    try:
        return cls(**arguments)
    except (TypeError, ValueError, LookupError) as error:
        message = f"config gives {class_name} arguments that it does not take: {error}"
        raise RvosError(message) from error
