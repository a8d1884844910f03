"""Every benchmark through its conversion: golden outputs, interruptions, the user's own files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rvos.cli import main
from rvos.datasets.errors import DatasetError, DatasetNotFoundError
from rvos.datasets.preparation import (
    BENCHMARKS,
    PreparationError,
    PreparationOptions,
    outputs,
    prepare_benchmark,
)

Unpack = Callable[[str], Path]
Snapshot = Callable[[Path], dict[str, str]]
ExpectedOutputs = Callable[[str, Path], dict[Path, Any]]
CheckGolden = Callable[[str, Path], None]
# The others are read as they are released.
CONVERTED = tuple(name for name in BENCHMARKS if name not in ("mevis", "ref_youtube_vos"))


@pytest.mark.parametrize("benchmark", CONVERTED)
def test_output_is_the_official_converters(
    unpack_benchmark: Unpack, snapshot: Snapshot, benchmark: Any, check_golden: CheckGolden
) -> None:
    root = unpack_benchmark(benchmark)
    before = snapshot(root)
    done = prepare_benchmark(benchmark, root)
    check_golden(benchmark, root)
    after = snapshot(root)
    assert before.items() <= after.items(), "nothing of the user's has changed"
    new = {path for path in after if path not in before}
    assert new == {path for path, status in done.results.items() if status != "kept"}


@pytest.mark.parametrize("benchmark", CONVERTED)
def test_the_command_writes_the_same(
    unpack_benchmark: Unpack, check_golden: CheckGolden, benchmark: str
) -> None:
    root = unpack_benchmark(benchmark)
    assert main(["data", "prepare", benchmark, str(root), "--quiet"]) == 0
    check_golden(benchmark, root)


@pytest.mark.parametrize("benchmark", CONVERTED)
def test_second_run_changes_nothing(
    unpack_benchmark: Unpack, snapshot: Snapshot, benchmark: Any
) -> None:
    root = unpack_benchmark(benchmark)
    first = prepare_benchmark(benchmark, root)
    before = snapshot(root)
    times = {path: path.lstat().st_mtime_ns for path in root.rglob("*") if path.is_file()}
    second = prepare_benchmark(benchmark, root)
    assert snapshot(root) == before
    assert times == {path: path.lstat().st_mtime_ns for path in times}
    assert first.results.keys() == second.results.keys()
    assert set(second.results.values()) <= {"up to date", "kept"}


@pytest.mark.parametrize("benchmark", CONVERTED)
def test_run_killed_anywhere_is_finished_by_the_next(
    unpack_benchmark: Unpack,
    snapshot: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
    benchmark: Any,
    check_golden: CheckGolden,
    expected_outputs: ExpectedOutputs,
) -> None:
    """Interrupts before every rename and link, one after the other, as a kill would."""
    root = unpack_benchmark(benchmark)
    untouched = snapshot(root)
    rename, link = Path.replace, Path.symlink_to
    left = 0

    def interrupted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Path, *arguments: Any, **options: Any) -> Any:
            nonlocal left
            if left == 0:
                raise KeyboardInterrupt
            left -= 1
            return function(self, *arguments, **options)

        return call

    monkeypatch.setattr(Path, "replace", interrupted(rename))
    monkeypatch.setattr(Path, "symlink_to", interrupted(link))
    expected = expected_outputs(benchmark, root)
    num_interrupted = 0
    for step in range(200):
        left = 1 + step % 2
        try:
            prepare_benchmark(benchmark, root)
            break
        except KeyboardInterrupt:
            num_interrupted += 1
        for path, content in expected.items():
            assert not path.exists() or json.loads(path.read_text()) == content, "half written"
        assert untouched.items() <= snapshot(root).items()
    assert num_interrupted >= 2
    monkeypatch.undo()
    prepare_benchmark(benchmark, root)
    check_golden(benchmark, root)


@pytest.mark.parametrize("benchmark", ["a2d_sentences", "jhmdb_sentences"])
def test_finished_samples_are_not_made_twice(
    unpack_benchmark: Unpack,
    monkeypatch: pytest.MonkeyPatch,
    benchmark: Any,
    check_golden: CheckGolden,
) -> None:
    root = unpack_benchmark(benchmark)
    module = f"rvos.datasets.preparation.{benchmark}.mask_record"
    from rvos.datasets.preparation.coco_ground_truth import mask_record

    made = 0

    def record(mask: Any) -> Any:
        nonlocal made
        if made == 4:
            raise KeyboardInterrupt
        made += 1
        return mask_record(mask)

    monkeypatch.setattr(module, record)
    with pytest.raises(KeyboardInterrupt):
        prepare_benchmark(benchmark, root)
    monkeypatch.setattr(module, lambda mask: later.append(1) or mask_record(mask))
    later: list[int] = []
    prepare_benchmark(benchmark, root)
    check_golden(benchmark, root)
    num_samples = {"a2d_sentences": 10, "jhmdb_sentences": 6}[benchmark]
    assert len(later) == num_samples - 4


@pytest.mark.parametrize("benchmark", CONVERTED)
def test_other_files_are_not_replaced(
    unpack_benchmark: Unpack,
    benchmark: Any,
    check_golden: CheckGolden,
    expected_outputs: ExpectedOutputs,
) -> None:
    root = unpack_benchmark(benchmark)
    path = next(iter(expected_outputs(benchmark, root)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"mine": 1}')
    with pytest.raises(PreparationError, match=r"says something else: move it away"):
        prepare_benchmark(benchmark, root)
    assert path.read_text() == '{"mine": 1}'
    prepare_benchmark(benchmark, root, PreparationOptions(overwrite=True))
    check_golden(benchmark, root)


@pytest.mark.parametrize("benchmark", CONVERTED)
def test_files_of_another_converter_that_say_the_same_stay(
    unpack_benchmark: Unpack, benchmark: Any, expected_outputs: ExpectedOutputs
) -> None:
    root = unpack_benchmark(benchmark)
    texts = {}
    for path, content in expected_outputs(benchmark, root).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        texts[path] = json.dumps(content, indent=4)
        path.write_text(texts[path])
    prepare_benchmark(benchmark, root)
    assert {path: path.read_text() for path in texts} == texts


def test_missing_files_and_folders(tmp_path: Path) -> None:
    for benchmark in CONVERTED:
        with pytest.raises(DatasetError):
            prepare_benchmark(benchmark, tmp_path)  # type: ignore[arg-type]
    with pytest.raises(PreparationError, match="no folder"):
        prepare_benchmark("mevis", tmp_path / "no")
    with pytest.raises(DatasetNotFoundError, match=r"refs\(umd\)\.p.*RefCOCOg"):
        prepare_benchmark("refcocog", tmp_path)


def test_damaged_memory_only_costs_work(unpack_benchmark: Unpack) -> None:
    root = unpack_benchmark("coco")
    prepare_benchmark("refcoco", root)
    (root / outputs.STATE_FOLDER / "prepared.json").write_text('{"refcoco/inst')
    assert set(prepare_benchmark("refcoco", root).results.values()) == {"up to date"}


def test_full_disk_is_one_line(unpack_benchmark: Unpack, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: object) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(outputs, "write_json", full)
    root = unpack_benchmark("coco")
    with pytest.raises(PreparationError, match=r"No space left.*goes on where it stopped"):
        prepare_benchmark("refcoco", root)
