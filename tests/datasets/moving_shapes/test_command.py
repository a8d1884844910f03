"""The verb writes what its options say."""

import json
from pathlib import Path

import pytest

from rvos.datasets.moving_shapes.command import build_parser, main
from rvos.datasets.moving_shapes.errors import MovingShapesError


def run(root: Path, *options: str) -> int:
    return main([str(root), "--num-videos", "2", "--workers", "1", *options])


def test_writes_the_chosen_split_and_kinds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(tmp_path, "--split", "valid", "--kinds", "appearance", "none", "--seed", "3")
    assert status == 0
    captured = capsys.readouterr()
    assert captured.out.strip() == str(tmp_path / "valid_u")
    assert "2/2" in captured.err
    index = json.loads((tmp_path / "valid_u/meta_expressions.json").read_text())
    assert len(index["videos"]) == 2
    expressions = [e for video in index["videos"].values() for e in video["expressions"].values()]
    assert {item["kind"] for item in expressions} <= {"appearance", "none"}


def test_layout_and_preset(tmp_path: Path) -> None:
    assert run(tmp_path, "--layout", "ref_youtube_vos", "--preset", "transfer") == 0
    meta = json.loads((tmp_path / "train/meta.json").read_text())
    objects = [o for video in meta["videos"].values() for o in video["objects"].values()]
    assert {item["category"] for item in objects} <= {"hexagon", "cross", "circle", "star"}


def test_number_of_expressions(tmp_path: Path) -> None:
    run(tmp_path, "--num-expressions", "4", "4")
    index = json.loads((tmp_path / "train/meta_expressions.json").read_text())
    assert {len(video["expressions"]) for video in index["videos"].values()} == {4}


def test_same_command_twice_writes_nothing_new(tmp_path: Path) -> None:
    run(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jpg")}
    run(tmp_path)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jpg")}


def test_refusals(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(MovingShapesError, match="another seed"):
        run(tmp_path, "--seed", "1")
    with pytest.raises(MovingShapesError, match="at least 1"):
        main([str(tmp_path / "new"), "--num-videos", "0"])
    with pytest.raises(MovingShapesError, match="lesser one first"):
        run(tmp_path / "new", "--num-expressions", "5", "4")
    assert not (tmp_path / "new").exists()
    with pytest.raises(SystemExit):
        main([str(tmp_path), "--split", "validation"])


def test_help_describes_every_option() -> None:
    text = build_parser().format_help()
    for action in build_parser()._actions:
        assert action.help
        assert max([action.dest, *action.option_strings], key=len) in text or action.metavar


def test_actions(tmp_path: Path) -> None:
    options = ("--num-expressions", "1", "3", "--kinds", "direction", "--actions", "grows")
    assert run(tmp_path, *options) == 0
    index = json.loads((tmp_path / "train/meta_expressions.json").read_text())
    expressions = [e for video in index["videos"].values() for e in video["expressions"].values()]
    words = ("grow", "bigger", "larger")
    assert all(any(word in item["exp"] for word in words) for item in expressions)
    with pytest.raises(MovingShapesError, match="no action is left for the kind 'motion'"):
        run(tmp_path / "new", "--actions", "grows")
    assert not (tmp_path / "new").exists()
