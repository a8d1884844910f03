"""The demo from start to end."""

import json
import re
from pathlib import Path

import pytest

import rvos
from rvos.demo import run
from rvos.demo.folder import DemoFolder
from rvos.demo.run import DemoResult, run_demo
from rvos.demo.settings import DemoSettings

MOTION_KINDS = ("motion", "direction")


def test_it_makes_everything_and_shows_it_again(
    nano_settings: DemoSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = DemoFolder(tmp_path / "demo")
    result = run_demo(nano_settings, folder.root)
    out = capsys.readouterr().out
    assert re.findall(r"^\[(\d)/6\]", out, re.M) == list("123456")
    table = re.search(r"^kind .*J&F before .*J&F after$", out, re.M)
    assert table is not None
    for path in (folder.overlay, folder.strip, folder.model / "config.json"):
        assert path.is_file()
    for path in (folder.overlay, folder.strip, folder.tensorboard, folder.model):
        assert str(path) in out
    written = {path: path.stat().st_mtime_ns for path in folder.root.glob("scores_*.json")}
    assert len(written) == 2

    monkeypatch.delattr(run, "fit")
    assert run_demo(nano_settings, folder.root) == result
    again = capsys.readouterr().out
    assert "done by an earlier run" in again
    assert again[again.index("\nkind") : again.index("\ntook")] in out
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_the_suggested_command_can_be_copied(nano_settings: DemoSettings, tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    words = run.closing_words(nano_settings, folder, Path("demo/data/video"), 0.0)
    assert (
        f'rvos segment demo/data/video "the circle moving left" --weights {folder.model}' in words
    )


@pytest.mark.slow
def test_the_full_demo_runs_on_the_bundled_weights(tmp_path: Path) -> None:
    result: DemoResult = run_demo(DemoSettings(), tmp_path / "demo")
    assert result.before.per_kind.keys() == result.after.per_kind.keys()
    assert set(MOTION_KINDS) < set(result.after.per_kind)
    # What it learns is recorded in docs/benchmarks.md; here it must have learned something.
    assert result.after.overall.j_and_f != result.before.overall.j_and_f
    fitted = rvos.load_model(tmp_path / "demo" / "model")
    time_projection = fitted.temporal_enhancer.temporal_decoder.time_projection
    assert time_projection.weight.abs().max() > 0
    settings = json.loads((tmp_path / "demo" / "settings.json").read_text())
    assert settings["weights"] == "tiny_image"
