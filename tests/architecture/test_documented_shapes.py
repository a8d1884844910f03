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


def modules() -> Iterator[types.ModuleType]:
    """Import every module of the package but the command's own."""
    for info in pkgutil.walk_packages(rvos.__path__, "rvos."):
        if not info.name.endswith("__main__"):
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


CALLABLES = {f"{f.__module__}.{f.__qualname__}": f for f in callables()}
CLASSES = {
    f"{cls.__module__}.{cls.__qualname__}": cls
    for module in modules()
    for cls in owned(module, inspect.isclass)
}
DATACLASSES = [name for name, cls in CLASSES.items() if dataclasses.is_dataclass(cls)]


@pytest.mark.parametrize("name", CALLABLES)
def test_stated_shapes_of_callables_are_true(name: str) -> None:
    function = CALLABLES[name]
    doc = inspect.getdoc(function) or ""
    for argument, hint in hints(function).items():
        annotated = dimensions(hint)
        documented = stated(entry(doc, argument))
        if not annotated:
            continue
        if function.__name__ in STATING and any(annotated):
            assert documented, f"{argument}: states no shape, annotated {annotated}"
        for shape in documented:
            assert any(same(shape, axes) for axes in annotated), f"{argument}: {shape} {annotated}"


@pytest.mark.parametrize("name", DATACLASSES)
def test_stated_shapes_of_dataclasses_are_true(name: str) -> None:
    cls = CLASSES[name]
    doc = inspect.getdoc(cls) or ""
    for field, hint in hints(cls).items():
        annotated = dimensions(hint)
        documented = stated(entry(doc, field))
        if any(annotated):
            assert documented, f"{field}: states no shape, annotated {annotated}"
        for shape in documented:
            ranks = {len(axes) for axes in annotated}
            assert not annotated or len(shape) in ranks, f"{field}: {shape} {annotated}"


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
