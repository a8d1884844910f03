"""Faults put into every file of every benchmark, and what the check says of them."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rvos.datasets.checking import CheckReport, check_benchmark
from rvos.datasets.errors import DatasetError

Sound = Callable[[str], tuple[Path, tuple[str, ...]]]
BENCHMARKS = [
    "ref_youtube_vos",
    "mevis",
    "ref_davis17",
    "a2d_sentences",
    "jhmdb_sentences",
    "refcoco",
]
# Files that no split needs: sources of a conversion that is done, and what evaluation reads.
NOT_NEEDED = re.compile(
    r"expected_|/\.rvos/|/refcoco\+/|/refcocog/|/DAVIS/(?!.*480p)|MISSED|/tree\.txt$"
    r"|refs\(unc\)|instances\.json|/test/|gt_annotations|test_annotations_in|README"
    r"|/valid/JPEGImages/cc/|clip_two_f_2/0001[45]"
)


def files_of(root: Path) -> list[Path]:
    """The files that are read, one of each folder and kind, first and last."""
    groups: dict[tuple[Path, str], list[Path]] = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and not NOT_NEEDED.search(path.as_posix()):
            groups.setdefault((path.parent, path.suffix), []).append(path)
    kept = [path for group in groups.values() for path in (group[0], group[-1])]
    return list(dict.fromkeys(kept))


def names(report: CheckReport) -> str:
    return "\n".join(finding.message for finding in report.faults)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_sound_data_have_no_fault(sound_root: Sound, benchmark: str, deep: bool) -> None:
    root, splits = sound_root(benchmark)
    report = check_benchmark(benchmark, root, splits, deep)
    assert report.faults == ()
    assert all(sum(row.counts.values()) for row in report.rows)


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_every_file_that_is_missing_is_named(
    sound_root: Sound, benchmark: str, tmp_path: Path
) -> None:
    root, splits = sound_root(benchmark)
    paths = files_of(root)
    assert len(paths) >= 4
    for path in paths:
        if path.name.startswith("a2d_sentences_single_frame"):
            continue  # made from the masks where it is missing
        path.rename(tmp_path / "away")
        report = check_benchmark(benchmark, root, splits)
        assert report.faults, f"{path} is missing and nobody noticed"
        assert path.name in names(report)
        (tmp_path / "away").rename(path)
    assert check_benchmark(benchmark, root, splits).faults == ()


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_every_file_that_is_damaged_is_named(sound_root: Sound, benchmark: str) -> None:
    root, splits = sound_root(benchmark)
    for path in files_of(root):
        content = path.read_bytes()
        damaged = (
            b"\xff\x00\xd8" * 9
            if path.suffix in (".txt", ".csv")
            else content[: -len(content) // 2]
        )
        path.write_bytes(damaged)
        report = check_benchmark(benchmark, root, splits, is_deep=True)
        assert report.faults, f"{path} is damaged and nobody noticed"
        assert path.name in names(report)
        path.write_bytes(content)
    assert check_benchmark(benchmark, root, splits, is_deep=True).faults == ()


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_every_picture_of_another_size_is_named(sound_root: Sound, benchmark: str) -> None:
    root, splits = sound_root(benchmark)
    pictures = [path for path in files_of(root) if path.suffix in (".jpg", ".png")]
    for path in pictures:
        if "DAVIS/Annotations/" in path.as_posix() or "/valid/" in path.as_posix():
            continue  # not read; or without anything to compare the only frame with
        content = path.read_bytes()
        with Image.open(path) as image:
            image.load()
            image.crop((0, 0, image.width - 1, image.height)).save(path)
        report = check_benchmark(benchmark, root, splits, is_deep=True)
        assert path.parent.name in names(report), path
        path.write_bytes(content)


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_each_fault_is_one_line_with_a_remedy(sound_root: Sound, benchmark: str) -> None:
    root, splits = sound_root(benchmark)
    for path in files_of(root)[:6]:
        path.write_bytes(b"")
    report = check_benchmark(benchmark, root, splits, is_deep=True)
    assert report.faults
    for finding in (*report.faults, *report.warnings):
        assert "\n" not in finding.message
        assert re.search(r": .*\w", finding.message)
        assert str(root) in finding.message


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_checking_writes_nothing(sound_root: Sound, benchmark: str) -> None:
    root, splits = sound_root(benchmark)
    before = {p: p.stat().st_mtime_ns for p in root.rglob("*")}
    check_benchmark(benchmark, root, splits, is_deep=True)
    assert {p: p.stat().st_mtime_ns for p in root.rglob("*")} == before


@pytest.mark.parametrize("benchmark", ["ref_youtube_vos", "mevis"])
@pytest.mark.parametrize("name", ["../../outside", "/etc", ".."])
def test_ids_that_lead_out_are_not_opened(
    sound_root: Sound, edit_json: Any, benchmark: str, name: str
) -> None:
    root, _ = sound_root(benchmark)
    meta = "meta_expressions"
    path = root / "train" / f"{meta}.json"
    if benchmark == "ref_youtube_vos":
        path = root / meta / "train" / f"{meta}.json"
    edit_json(path, lambda c: c["videos"].update({name: c["videos"]["aa"]}))
    outside = root.parent.parent / "outside"
    report = check_benchmark(benchmark, root, ["train"], is_deep=True)
    assert f"names {name!r}" in names(report)
    assert not any(finding.file.startswith(str(outside)) for finding in report.faults)
    edit_json(path, lambda c: c["videos"].pop(name))
    edit_json(path, lambda c: c["videos"]["aa"]["frames"].append(f"{name}/00001"))
    assert "is no plain file name" in names(check_benchmark(benchmark, root, ["train"]))


def test_unknown_split_and_root(sound_root: Sound, tmp_path: Path) -> None:
    root, _ = sound_root("mevis")
    with pytest.raises(DatasetError, match="choose of train, valid_u, valid"):
        check_benchmark("mevis", root, ["val"])
    with pytest.raises(DatasetError, match="is no folder"):
        check_benchmark("mevis", tmp_path / "no")


def test_split_that_is_not_there(sound_root: Sound) -> None:
    root, _ = sound_root("mevis")
    shutil.rmtree(root / "train")
    report = check_benchmark("mevis", root)
    assert re.search(r"train.JPEGImages is missing: .*leave out the split", names(report))
    assert [row.split for row in report.rows] == ["valid_u", "valid"]
    assert check_benchmark("mevis", root, ["valid_u"]).faults == ()


def test_what_is_not_prepared_says_how(unpack_benchmark: Callable[[str], Path]) -> None:
    for benchmark, folder in (("ref_davis17", "ref_davis"), ("refcocog", "coco")):
        root = unpack_benchmark(folder)
        report = check_benchmark(benchmark, root)
        assert f"run `rvos data prepare {benchmark} {root}`" in names(report)
