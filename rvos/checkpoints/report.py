"""Which weights of a source matched a model, and which did not."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from rvos.checkpoints.files import CheckpointError

_MOST_NAMES = 20
_TITLES = ("matched", "newly initialised", "missing", "unexpected", "shape conflicts")


class WeightsMismatchError(CheckpointError):
    """Weights that do not fit the model; ``report`` says which."""

    def __init__(self, message: str, report: "LoadReport") -> None:
        super().__init__(message)
        self.report = report


@dataclass
class ShapeConflict:
    """A tensor that source and model have in different shapes.

    Attributes:
        name: The model's name.
        found: Shape in the source.
        expected: Shape in the model.
    """

    name: str
    found: tuple[int, ...]
    expected: tuple[int, ...]

    def __str__(self) -> str:
        """Name both shapes."""
        found, expected = ("x".join(map(str, shape)) for shape in (self.found, self.expected))
        return f"{self.name} ({found} in the source, {expected} in the model)"


@dataclass
class LoadReport:
    """The comparison of a source's weights with a model.

    Attributes:
        source: Where the weights come from.
        matched: Names that both have, in equal shapes.
        new: Names of the model that the source lacks and may lack.
        missing: Names of the model that the source lacks and should have.
        unexpected: Names of the source that the model lacks.
        conflicts: Names that both have in different shapes.
        unread: Names of the source that are known and that no model reads.
    """

    source: str
    matched: list[str]
    new: list[str]
    missing: list[str]
    unexpected: list[str]
    conflicts: list[ShapeConflict]
    unread: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Refuse weights that do not fit.

        Raises:
            WeightsMismatchError: Something is missing, unexpected or of another shape.
        """
        complaints = [
            f"{title}: {_enumerate(names)}"
            for title, names in (
                ("missing", self.missing),
                ("unexpected", self.unexpected),
                ("of another shape", [str(conflict) for conflict in self.conflicts]),
            )
            if names
        ]
        if complaints:
            message = f"weights in {self.source} do not fit the model: {'; '.join(complaints)}"
            raise WeightsMismatchError(message, self)

    def table(self) -> str:
        """Lay the numbers out per part of the model.

        Returns:
            A table whose last row is the sum.
        """
        conflicts = [conflict.name for conflict in self.conflicts]
        groups = (self.matched, self.new, self.missing, self.unexpected, conflicts)
        counts = [Counter(map(_part, names)) for names in groups]
        parts = sorted(set().union(*counts))
        rows = [(part, [count[part] for count in counts]) for part in parts]
        rows.append(("all", [count.total() for count in counts]))
        width = max(len(part) for part, _ in rows)
        lines = ["  ".join([" " * width, *_TITLES])]
        for part, numbers in rows:
            cells = [
                str(number).rjust(len(title))
                for number, title in zip(numbers, _TITLES, strict=True)
            ]
            lines.append("  ".join([part.ljust(width), *cells]))
        return "\n".join(lines)


def compare_weights(
    source: str,
    own: Mapping[str, Tensor],
    weights: Mapping[str, Tensor],
    may_be_new: re.Pattern[str] | None = None,
    unknown: Sequence[str] = (),
    unread: Sequence[str] = (),
) -> LoadReport:
    r"""Compare the weights of a source with those of a model.

    Args:
        source: Where the weights come from.
        own: The model's state dict; only its shapes are looked at.
        weights: The source's, under the model's names.
        may_be_new: Names that the source may lack; None = it must have all.
        unknown: Further names of the source, which nothing here knows.
        unread: Further names of the source that nothing reads.

    Returns:
        The comparison.

    Example:
        >>> import torch
        >>> own = {"a.weight": torch.zeros(2), "b.weight": torch.zeros(3)}
        >>> report = compare_weights("x.pth", own, {"a.weight": torch.ones(2)}, re.compile(r"b\."))
        >>> report.matched, report.new, report.missing
        (['a.weight'], ['b.weight'], [])
    """
    absent = sorted(own.keys() - weights.keys())
    shared = own.keys() & weights.keys()
    conflicts = [
        ShapeConflict(name, tuple(weights[name].shape), tuple(own[name].shape))
        for name in sorted(shared)
        if weights[name].shape != own[name].shape
    ]
    in_conflict = {conflict.name for conflict in conflicts}
    is_new = {name for name in absent if may_be_new is not None and may_be_new.match(name)}
    return LoadReport(
        source=source,
        matched=sorted(shared - in_conflict),
        new=sorted(is_new),
        missing=[name for name in absent if name not in is_new],
        unexpected=sorted([*unknown, *(weights.keys() - own.keys())]),
        conflicts=conflicts,
        unread=sorted(unread),
    )


def _enumerate(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{', '.join(names[:_MOST_NAMES])}{more}"


def _part(name: str) -> str:
    """Name the module a tensor belongs to; the grounder is the largest, so its parts count."""
    depth = 2 if name.startswith("grounder.") else 1
    return ".".join(name.split(".")[:depth])
