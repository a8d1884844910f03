from collections.abc import Callable
from pathlib import Path

import pytest

from rvos.datasets.davis_text import (
    ANNOTATORS,
    number_expressions,
    parse_davis_line,
    read_davis_text,
)
from rvos.datasets.errors import DatasetNotFoundError, MalformedAnnotationError
from rvos.datasets.safe_names import UnsafeNameError


@pytest.fixture
def folder(unpack_benchmark: Callable[[str], Path]) -> Path:
    return unpack_benchmark("ref_davis") / "davis_text_annotations"


def test_second_annotator_is_latin_1(folder: Path) -> None:
    versions = read_davis_text(folder)["cc-three"]
    assert [v[0].text.split()[0] for v in versions] == [Path(name).stem for name, _ in ANNOTATORS]
    assert versions[2][0].text.endswith("caf\u00e9")


def test_objects_are_sorted_as_text(folder: Path) -> None:
    for name, encoding in ANNOTATORS:
        lines = [f'zebra {number} "object {number}"' for number in (10, 2, 1)]
        (folder / name).write_text("\n".join(lines), encoding=encoding)
    versions = read_davis_text(folder)["zebra"]
    assert [item.object_id for item in versions[0]] == ["1", "10", "2"]
    numbered = number_expressions(versions)
    assert [numbered[str(k)].object_id for k in range(12)] == ["1"] * 4 + ["10"] * 4 + ["2"] * 4


@pytest.mark.parametrize(
    ("written", "meant"),
    [("clasic-car", "classic-car"), ("dog-scale", "dogs-scale"), ("motor-bike", "motorbike")],
)
def test_misspelt_sequences_are_mended(written: str, meant: str) -> None:
    parsed = parse_davis_line(f'{written} 1 "a car"')
    assert parsed is not None
    assert parsed[0] == meant


@pytest.mark.parametrize("line", ["bear", 'bear one "a bear"', 'bear 1 ""', '1 "a bear"'])
def test_broken_line_is_named(folder: Path, line: str) -> None:
    path = folder / ANNOTATORS[1][0]
    path.write_text(f"{path.read_text()}\n{line}\n")
    with pytest.raises(MalformedAnnotationError, match=r"Davis17_annot1_full_video\.txt.*line \d+"):
        read_davis_text(folder)


def test_annotators_must_agree_on_the_objects(folder: Path) -> None:
    path = folder / ANNOTATORS[3][0]
    lines = path.read_text("latin-1").splitlines()
    path.write_text("\n".join(lines[1:]), "latin-1")
    with pytest.raises(MalformedAnnotationError, match=r"cc-three has expressions for the objects"):
        read_davis_text(folder)


def test_missing_file_and_unsafe_sequence(folder: Path) -> None:
    (folder / ANNOTATORS[0][0]).write_text('../up 1 "a bear"')
    with pytest.raises(UnsafeNameError):
        read_davis_text(folder)
    (folder / ANNOTATORS[0][0]).unlink()
    with pytest.raises(DatasetNotFoundError, match="Ref-DAVIS17"):
        read_davis_text(folder)
