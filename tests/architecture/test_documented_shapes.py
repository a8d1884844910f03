"""The shapes that docstrings state are those of the annotations.

``forward`` and ``update`` must state the shape of every tensor; wherever another function or a
dataclass states one, it must agree.
"""

import dataclasses
import importlib
import inspect
import pkgutil
import re
import types
import typing
from collections.abc import Callable, Iterator

import pytest

import rvos

SHAPE = re.compile(r"``\[([^`\[\]]*)\]``")
STATING = {"forward", "update"}
# The kernels need an optional dependency, and are documented by who calls them.
NOT_IMPORTED = ("__main__", "triton_kernels")


def modules() -> Iterator[types.ModuleType]:
    """Import every module of the package but the command's own."""
    for info in pkgutil.walk_packages(rvos.__path__, "rvos."):
        if not info.name.endswith(NOT_IMPORTED):
            yield importlib.import_module(info.name)


def owned(module: types.ModuleType, kind: Callable[[object], bool]) -> list[typing.Any]:
    """List the public members that the module itself defines."""
    members = inspect.getmembers(module, kind)
    return [
        member
        for name, member in members
        if member.__module__ == module.__name__ and not name.startswith("_")
    ]


def callables() -> Iterator[Callable[..., object]]:
    """List public functions and methods that have annotations."""
    for module in modules():
        yield from owned(module, inspect.isfunction)
        for cls in owned(module, inspect.isclass):
            for name, member in vars(cls).items():
                if inspect.isfunction(member) and not name.startswith("_"):
                    yield member


def dimensions(hint: object) -> list[list[str]]:
    """Find the axes of every tensor annotation inside a type, ``| None`` and the like included."""
    text = getattr(hint, "dim_str", None)
    if isinstance(text, str):
        return [text.upper().split()]
    return [axes for argument in typing.get_args(hint) for axes in dimensions(argument)]


def entry(doc: str, name: str) -> str:
    """Cut one entry out of the Args or Attributes section, or the whole Returns section."""
    if name == "return":
        section = re.search(r"^(?:Returns|Yields):\n((?:[ \t]+.*\n?|\n)*)", doc, re.M)
        return section.group(1) if section else ""
    found = re.search(rf"^( *){re.escape(name)}:(.*(?:\n\1[ \t]+.*)*)", doc, re.M)
    return found.group(2) if found else ""


def stated(text: str) -> list[list[str]]:
    """Read the shapes of one docstring entry; ``[]`` is a scalar."""
    return [[axis.strip() for axis in shape.split(",") if axis] for shape in SHAPE.findall(text)]


def same(documented: list[str], annotated: list[str]) -> bool:
    """Compare two shapes; any number of leading axes is written ``...`` or ``*S``."""
    if annotated == ["..."]:
        return True
    if len(documented) != len(annotated):
        return False
    return all(same_axis(*pair) for pair in zip(documented, annotated, strict=True))


def same_axis(documented: str, annotated: str) -> bool:
    """Compare two axes; the text may spell one out, such as ``ceil(H/4)``."""
    if annotated.startswith("*"):
        return documented == "..." or documented.startswith("*")
    return documented.upper() == annotated.lstrip("#_") or "(" in documented


def hints(owner: object) -> dict[str, object]:
    """Resolve annotations, or leave them as they are where a third party's cannot be evaluated."""
    try:
        return typing.get_type_hints(owner)
    except TypeError:
        return inspect.get_annotations(owner)  # type: ignore[arg-type]


def complaints(owner: object, must_state: bool) -> Iterator[str]:
    """Compare the docstring of a function or class with its annotations."""
    doc = inspect.getdoc(owner) or ""
    name = getattr(owner, "__qualname__", "")
    for argument, hint in hints(owner).items():
        annotated = dimensions(hint)
        documented = stated(entry(doc, argument))
        if must_state and any(annotated) and not documented:
            yield f"{name}: {argument} states no shape, annotated {annotated}"
        for shape in documented if annotated else []:
            if not any(same(shape, axes) for axes in annotated):
                yield f"{name}: {argument} states {shape}, annotated {annotated}"


def test_stated_shapes_of_callables_are_true() -> None:
    functions = list(callables())
    assert len(functions) > 100
    wrong = [text for f in functions for text in complaints(f, f.__name__ in STATING)]
    assert wrong == []


def test_stated_shapes_of_dataclasses_are_true() -> None:
    classes = [cls for module in modules() for cls in owned(module, inspect.isclass)]
    wrong = [
        text
        for cls in classes
        if dataclasses.is_dataclass(cls)
        for text in complaints(cls, must_state=True)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("documented", "annotated", "expected"),
    [
        (["B", "T", "Q", "4"], ["B", "T", "Q", "4"], True),
        (["B", "Q", "T", "4"], ["B", "T", "Q", "4"], False),
        (["B", "T", "4"], ["B", "T", "Q", "4"], False),
        (["B", "ceil(H/4)"], ["B", "H"], True),
        (["...", "H", "W"], ["*BATCH", "H", "W"], True),
        (["*S", "H", "W"], ["*S", "H", "W"], True),
        (["*S", "W", "H"], ["*S", "H", "W"], False),
        ([], [], True),
    ],
)
def test_shapes_are_compared_axis_by_axis(
    documented: list[str], annotated: list[str], expected: bool
) -> None:
    assert same(documented, annotated) is expected
