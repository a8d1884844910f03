"""The files of RefCOCO, RefCOCO+ and RefCOCOg: which ones there are, and the references in them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rvos.datasets.errors import MalformedAnnotationError
from rvos.datasets.files import annotation_layout
from rvos.datasets.plain_pickle import read_plain_pickle

RefCOCOName = Literal["refcoco", "refcoco+", "refcocog"]


@dataclass(frozen=True, slots=True)
class RefCOCORelease:
    """One of the three sets.

    Attributes:
        title: Its name in running text.
        references: File of the references.
        splits: Its splits.

    >>> RELEASES["refcocog"].splits
    ('train', 'val', 'test')
    """

    title: str
    references: str
    splits: tuple[str, ...]


RELEASES: Mapping[RefCOCOName, RefCOCORelease] = {
    "refcoco": RefCOCORelease("RefCOCO", "refs(unc).p", ("train", "val", "testA", "testB")),
    "refcoco+": RefCOCORelease("RefCOCO+", "refs(unc).p", ("train", "val", "testA", "testB")),
    "refcocog": RefCOCORelease("RefCOCOg", "refs(umd).p", ("train", "val", "test")),
}


@dataclass(frozen=True, slots=True)
class Reference:
    """One object with the expressions that people wrote of it.

    Attributes:
        ref_id: Its id.
        annotation_id: Its annotation in ``instances.json``.
        image_id: Its image there.
        split: The split it belongs to.
        expressions: As written, cleaned by the release.

    >>> Reference(1, 9000, 900, "train", ("left thing",)).split
    'train'
    """

    ref_id: int
    annotation_id: int
    image_id: int
    split: str
    expressions: tuple[str, ...]


def read_references(root: Path, name: RefCOCOName) -> list[Reference]:
    """Read the references of a set; nothing in the pickle is executed.

    Args:
        root: Folder with ``train2014`` and the sets.
        name: The set.

    Returns:
        The references, in the order of the file.

    Raises:
        DatasetNotFoundError: Without the file.
        MalformedAnnotationError: If it is damaged, hostile or lacks an entry.
    """
    release = RELEASES[name]
    path = root / name / release.references
    content = read_plain_pickle(path, release.title)
    if not isinstance(content, list):
        raise MalformedAnnotationError(path, f"holds a {type(content).__name__}, not a list")
    with annotation_layout(path):
        return list(_parse(content))


def instances_path(root: Path, name: RefCOCOName) -> Path:
    """File of the objects and images of a set.

    Args:
        root: Folder with ``train2014`` and the sets.
        name: The set.

    Returns:
        The path.
    """
    return root / name / "instances.json"


def converted_path(root: Path, name: RefCOCOName, split: str) -> Path:
    """File that ``rvos data prepare`` writes for a split.

    Args:
        root: Folder with ``train2014`` and the sets.
        name: The set.
        split: The split.

    Returns:
        The path.

    >>> converted_path(Path("coco"), "refcoco+", "testA").as_posix()
    'coco/refcoco+/instances_refcoco+_testA.json'
    """
    return root / name / f"instances_{name}_{split}.json"


def _parse(entries: list[Any]) -> Iterator[Reference]:
    for entry in entries:
        yield Reference(
            ref_id=int(entry["ref_id"]),
            annotation_id=int(entry["ann_id"]),
            image_id=int(entry["image_id"]),
            split=_text(entry["split"]),
            expressions=tuple(_text(sentence["sent"]) for sentence in entry["sentences"]),
        )


def _text(value: object) -> str:
    # Not str(value): a pickle can hold a list that is small there and endless as text.
    if not isinstance(value, str):
        message = f"a {type(value).__name__} in place of text"
        raise TypeError(message)
    return value
