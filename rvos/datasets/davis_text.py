"""The text files of Ref-DAVIS17: four sets of expressions for the objects of DAVIS 2017."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rvos.datasets.errors import DatasetNotFoundError, MalformedAnnotationError
from rvos.datasets.safe_names import check_name

DAVIS_NAME = "Ref-DAVIS17"
TEXT_FOLDER = "davis_text_annotations"
# File and encoding per annotator; expression ids count through them in this order.
ANNOTATORS = (
    ("Davis17_annot1.txt", "utf-8"),
    ("Davis17_annot1_full_video.txt", "utf-8"),
    ("Davis17_annot2.txt", "latin-1"),
    ("Davis17_annot2_full_video.txt", "latin-1"),
)
_SEQUENCE_TYPOS = {
    "clasic-car": "classic-car",
    "dog-scale": "dogs-scale",
    "motor-bike": "motorbike",
}
# Characters; the longest published line has 150. Where it has a run of spaces, reading a line takes
# time that grows with the square of the run.
_LONGEST_LINE = 10_000
_LINE = re.compile(r'(\S+)\s+(\d+)\s+"?(.*?)"?\s*')


@dataclass(frozen=True, slots=True)
class ObjectExpression:
    """What one annotator writes of one object.

    Attributes:
        object_id: The object, its value in the annotation PNGs.
        text: The expression as written.

    >>> ObjectExpression("1", "a dog").object_id
    '1'
    """

    object_id: str
    text: str


# Sequence -> the expressions of each annotator, in the order of the object ids.
AnnotatedSequences = dict[str, tuple[tuple[ObjectExpression, ...], ...]]


def read_davis_text(folder: Path) -> AnnotatedSequences:
    """Read the expressions of all annotators.

    Args:
        folder: ``davis_text_annotations``.

    Returns:
        Per sequence one tuple per annotator, sorted by object id as text.

    Raises:
        DatasetNotFoundError: Without one of the four files.
        MalformedAnnotationError: If a line is broken, or the annotators disagree on the objects.
        UnsafeNameError: If a sequence's name is no plain name.
    """
    paths = [folder / name for name, _ in ANNOTATORS]
    by_annotator = [
        _read_annotator(path, encoding)
        for path, (_, encoding) in zip(paths, ANNOTATORS, strict=True)
    ]
    sequences: AnnotatedSequences = {}
    for sequence in sorted({name for texts in by_annotator for name in texts}):
        versions = tuple(texts.get(sequence, ()) for texts in by_annotator)
        first = [item.object_id for item in versions[0]]
        for path, version in zip(paths, versions, strict=True):
            found = [item.object_id for item in version]
            if found != first:
                reason = (
                    f"sequence {sequence} has expressions for the objects {', '.join(found)}; in "
                    f"{paths[0].name} for {', '.join(first)}"
                )
                raise MalformedAnnotationError(path, reason)
        sequences[sequence] = versions
    return sequences


def parse_davis_line(line: str) -> tuple[str, ObjectExpression] | None:
    """Read ``<sequence> <object id> "<expression>"``, and mend the known misspelt sequences.

    Args:
        line: The line.

    Returns:
        Sequence and expression; None if the line has another form.

    >>> parse_davis_line('dog-scale 2 "a white dog"')
    ('dogs-scale', ObjectExpression(object_id='2', text='a white dog'))
    """
    match = _LINE.fullmatch(line.strip())
    if match is None or not match[3]:
        return None
    return _SEQUENCE_TYPOS.get(match[1], match[1]), ObjectExpression(match[2], match[3])


def number_expressions(
    versions: tuple[tuple[ObjectExpression, ...], ...],
) -> Mapping[str, ObjectExpression]:
    """Give every expression its id: four times the rank of its object, plus its annotator.

    Args:
        versions: The expressions of each annotator, of the same objects in the same order.

    Returns:
        Expression per id, in the order of the ids.

    >>> a, b = ObjectExpression("1", "a dog"), ObjectExpression("1", "a big dog")
    >>> [item.text for item in number_expressions(((a,), (b,))).values()]
    ['a dog', 'a big dog']
    """
    by_object = zip(*versions, strict=True)
    flat = [item for expressions in by_object for item in expressions]
    return {str(number): item for number, item in enumerate(flat)}


def _read_annotator(path: Path, encoding: str) -> dict[str, tuple[ObjectExpression, ...]]:
    try:
        lines = path.read_text(encoding=encoding).splitlines()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DatasetNotFoundError(path, DAVIS_NAME) from error
    except UnicodeDecodeError as error:
        raise MalformedAnnotationError(path, f"not {encoding}: {error}") from error
    found: dict[str, list[ObjectExpression]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        parsed = parse_davis_line(line) if len(line) <= _LONGEST_LINE else None
        if parsed is None:
            reason = f'line {number} is not of the form: sequence object "expression"'
            raise MalformedAnnotationError(path, reason)
        found.setdefault(check_name(parsed[0], path), []).append(parsed[1])
    return {
        name: tuple(sorted(items, key=lambda item: item.object_id)) for name, items in found.items()
    }
