"""`rvos test` writes as it goes, and a repeated command goes on with what is there."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rvos.cli import main
from rvos.datasets.moving_shapes.vocabulary import Layout
from rvos.structures.predictions import VideoPrediction
from rvos.tasks import ReferringSegmentationTask

REPOSITORY = Path(__file__).parents[2]
RunTest = Callable[..., int]


@pytest.fixture
def tested(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Samples that were computed, in order."""
    seen: list[str] = []
    original = ReferringSegmentationTask.test_step

    def test_step(self: Any, batch: Any, batch_idx: int) -> list[VideoPrediction]:
        seen.extend(batch.sample_ids)
        return original(self, batch, batch_idx)

    monkeypatch.setattr(ReferringSegmentationTask, "test_step", test_step)
    return seen


@pytest.fixture
def run_test(
    moving_shapes: dict[Layout, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> RunTest:
    """Test the smallest model on MovingShapes in the layout of MeViS."""
    monkeypatch.chdir(tmp_path)

    def run(folder: str, *more: str, verb: str = "test") -> int:
        options = {
            "model.init_args.model": str(REPOSITORY / "tests/integration/referdino_nano.yaml"),
            "data.root": str(moving_shapes["mevis"]),
            "data.num_workers": "0",
            "data.short_side": "64",
            "trainer.accelerator": "cpu",
            "trainer.callbacks+": "rvos.callbacks.PredictionWriter",
            "trainer.callbacks.folder": folder,
        }
        flags = [word for name, value in options.items() for word in (f"--{name}", value)]
        path = REPOSITORY / "configs" / "experiment" / "referdino_tiny_mevis.yaml"
        return main([verb, "-c", str(path), *flags, *more])

    return run


def _table(out: str) -> list[str]:
    return re.findall(r"^(?:all|several|[NT]-acc)\b.*$", out, re.MULTILINE)


def test_scores_after_interruptions_are_those_of_an_unbroken_run(
    run_test: RunTest, tested: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_test("whole") == 0
    whole, expected = list(tested), _table(capsys.readouterr().out)
    assert expected
    tested.clear()
    assert run_test("parts", "--trainer.limit_test_batches", "3") == 0
    out = capsys.readouterr().out
    assert f"{len(whole) - 3} of {len(whole)} are not predicted yet: repeat the command" in out
    assert _table(out) != expected
    # Written only in part: masks without scores, scores without masks.
    Path("parts/.scores", f"{whole[0]}.npz").unlink()
    next(Path("parts", whole[1]).glob("*.png")).unlink()
    assert run_test("parts") == 0
    out = capsys.readouterr().out
    assert f"parts: 1 of {len(whole)} kept as they are" in out
    assert _table(out) == expected
    assert tested == [*whole[:3], *whole[:2], *whole[3:]]
    files = [
        {
            path.relative_to(name): path.read_bytes()
            for path in Path(name).rglob("*.*")
            if path.is_file()
        }
        for name in ("whole", "parts")
    ]
    assert files[0] == files[1]
    # Four masks and the scores of each, the archive, and what all was made with.
    assert len(files[0]) == 5 * len(whole) + 2


def test_a_finished_test_tells_its_scores_again(
    run_test: RunTest, tested: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_test("pred") == 0
    expected = _table(capsys.readouterr().out)
    files = {path: path.stat().st_mtime_ns for path in Path("pred").rglob("*.*g")}
    tested.clear()
    assert run_test("pred") == 0
    assert _table(capsys.readouterr().out) == expected
    # Lightning ends no test without a batch.
    assert len(tested) == 1
    assert {path: path.stat().st_mtime_ns for path in Path("pred").rglob("*.*g")} == files


def test_a_folder_of_another_model_is_refused(
    run_test: RunTest, capsys: pytest.CaptureFixture[str]
) -> None:
    limit = ["--trainer.limit_test_batches", "1", "--trainer.limit_predict_batches", "1"]
    assert run_test("pred", *limit) == 0
    before = sorted(Path("pred").rglob("*"))
    capsys.readouterr()
    assert run_test("pred", *limit, "--seed_everything", "7") == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "pred holds predictions that were made with something else (weights); name" in error
    decision = str(REPOSITORY / "configs" / "selection" / "mevis_v2.yaml")
    changed = ["--model.init_args.selection", decision]
    assert run_test("pred", *limit, *changed, verb="predict") == 1
    assert "something else (selection); name another" in capsys.readouterr().err
    assert sorted(Path("pred").rglob("*")) == before


def test_nothing_is_answered_where_nothing_is_sure(
    run_test: RunTest,
    moving_shapes: dict[Layout, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    decision = ["--model.init_args.selection", "rvos.inference.selection.NoTargetDecision"]
    never = ["--model.init_args.selection.target_threshold", "0.999"]
    assert run_test("pred", *decision, *never) == 0
    out = capsys.readouterr().out
    assert "N-acc 100.0 (unverified)" in out
    assert "T-acc 0.0 (unverified)" in out
    options = ["--workers", "1", "--output", "scores"]
    assert main(["evaluate", "mevis", "pred", str(moving_shapes["mevis"]), *options]) == 0
    out = capsys.readouterr().out
    assert re.search(r"N-acc\*\s+100\.0", out)
    assert re.search(r"T-acc\*\s+0\.0", out)
