"""Ref-DAVIS17: DAVIS and its text files in the layout of Ref-YouTube-VOS."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rvos.datasets.davis_text import (
    DAVIS_NAME,
    TEXT_FOLDER,
    AnnotatedSequences,
    number_expressions,
    read_davis_text,
)
from rvos.datasets.errors import DatasetNotFoundError, FrameNotFoundError
from rvos.datasets.files import annotation_layout, read_json
from rvos.datasets.preparation.folders import provide_folder
from rvos.datasets.preparation.outputs import PreparationError, PreparedFolder, fingerprint
from rvos.datasets.preparation.progress import make_item_bar
from rvos.datasets.ref_youtube_vos import expressions_path
from rvos.datasets.safe_names import check_name

# Name of the image set in DAVIS -> name of the split.
SPLITS = {"train": "train", "val": "valid"}
# Kind of file in the new layout -> folder of DAVIS that holds it.
_SOURCES = {"JPEGImages": "JPEGImages", "Annotations": "Annotations_unsupervised"}


def prepare_ref_davis17(
    folder: PreparedFolder, copy: bool = False, progress: bool = False
) -> list[str]:
    """Write expressions and objects of both splits, and link (or copy) frames and masks.

    Args:
        folder: Root with ``DAVIS`` and ``davis_text_annotations``.
        copy: Copy instead of linking.
        progress: Show a bar with the time left.

    Returns:
        What the user should know of, one line each.

    Raises:
        DatasetError: If a file is missing or damaged.
        PreparationError: If something else is where an output goes.
    """
    texts = read_davis_text(folder.root / TEXT_FOLDER)
    used: set[str] = set()
    for image_set, split in SPLITS.items():
        names = read_image_set(folder.root, image_set)
        used.update(names)
        _prepare_split(folder, split, names, texts)
        work = [(name, kind) for name in names for kind in _SOURCES]
        with make_item_bar(split, len(work), "folder", progress) as bar:
            for name, kind in work:
                source = sequence_folder(folder.root, kind, name)
                provide_folder(folder, source, folder.root / split / kind / name, copy)
                bar.update()
    return [
        f"{TEXT_FOLDER}: sequence {name} is in no image set and is left out"
        for name in sorted(set(texts) - used)
    ]


def read_image_set(root: Path, image_set: str) -> list[str]:
    """Read the sequences of an image set.

    Args:
        root: Folder with ``DAVIS``.
        image_set: ``train`` or ``val``.

    Returns:
        Their names, in the order of the file.

    Raises:
        DatasetNotFoundError: Without the file.
        UnsafeNameError: If a name is no plain name.
    """
    path = root / "DAVIS" / "ImageSets" / "2017" / f"{image_set}.txt"
    try:
        names = path.read_text(encoding="utf-8").split()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DatasetNotFoundError(path, DAVIS_NAME) from error
    return [check_name(name, path) for name in names]


def sequence_folder(root: Path, kind: str, sequence: str) -> Path:
    """Folder of DAVIS that holds the frames or the masks of a sequence.

    Args:
        root: Folder with ``DAVIS``.
        kind: ``JPEGImages`` or ``Annotations``.
        sequence: The sequence.

    Returns:
        The folder.

    >>> sequence_folder(Path("d"), "Annotations", "bear").as_posix()
    'd/DAVIS/Annotations_unsupervised/480p/bear'
    """
    return root / "DAVIS" / _SOURCES[kind] / "480p" / sequence


def _prepare_split(
    folder: PreparedFolder, split: str, names: list[str], texts: AnnotatedSequences
) -> None:
    """Write ``meta_expressions.json`` and ``meta.json`` of a split."""
    root = folder.root
    semantics_path = root / "DAVIS" / "davis_semantics.json"
    semantics = read_json(semantics_path, DAVIS_NAME)
    videos, objects = {}, {}
    for name in names:
        videos[name] = _describe_video(root, name, texts)
        with annotation_layout(semantics_path):
            categories = semantics[name].items()
            objects[name] = {"objects": {key: {"category": value} for key, value in categories}}
    inputs = fingerprint([semantics_path], videos)
    folder.write(expressions_path(root, split), {"videos": videos}, inputs)
    folder.write(root / split / "meta.json", {"videos": objects}, inputs)


def _describe_video(root: Path, name: str, texts: AnnotatedSequences) -> dict[str, Any]:
    if name not in texts:
        message = f"{root / TEXT_FOLDER} has no expression for sequence {name}: restore the files"
        raise PreparationError(message)
    numbered = number_expressions(texts[name]).items()
    return {
        "expressions": {key: {"exp": e.text, "obj_id": e.object_id} for key, e in numbered},
        "frames": list(_frame_names(root, name)),
    }


def _frame_names(root: Path, name: str) -> Iterator[str]:
    """Frames of a sequence; each must have its mask."""
    frames = sequence_folder(root, "JPEGImages", name)
    masks = sequence_folder(root, "Annotations", name)
    for path in (frames, masks):
        if not path.is_dir():
            message = (
                f"{path} is missing: unpack the archives of DAVIS (again: converters of other "
                "projects move its folders away)"
            )
            raise PreparationError(message)
    for path in sorted(frames.glob("*.jpg")):
        if not (masks / f"{path.stem}.png").is_file():
            raise FrameNotFoundError(masks / f"{path.stem}.png")
        yield path.stem
