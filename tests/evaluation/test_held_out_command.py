"""`rvos held-out`: the table, the verdicts, and what is refused."""

import json
from pathlib import Path

import pytest
import torch

from rvos.cli import main
from rvos.datasets.moving_shapes.preset import HELD_OUT, HELD_OUT_NUM_VIDEOS, HELD_OUT_SEED
from rvos.datasets.moving_shapes.video import make_video_id
from rvos.datasets.moving_shapes.writer import write_moving_shapes
from rvos.evaluation.expression_table import score_rows
from rvos.evaluation.held_out import HeldOutScores
from rvos.evaluation.held_out_command import mark_unlearned, open_split
from rvos.metrics import JAndFResult, JAndFScores


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("held_out")
    open_split(root, "test", 2)
    return root


def result(**kinds: float) -> JAndFResult:
    scores = {
        kind: JAndFScores(*torch.tensor([value, value], dtype=torch.float64), 3)
        for kind, value in kinds.items()
    }
    return JAndFResult(next(iter(scores.values())), scores)


def test_it_writes_scores_and_tells(
    root: Path, nano_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scores.json"
    options = ["--weights", str(nano_weights), "--root", str(root), "--max-videos", "1"]
    assert main(["held-out", *options, "--device", "cpu", "--json", str(file)]) == 0
    captured = capsys.readouterr()
    first, _, head, *_ = captured.out.splitlines()
    num_expressions = len(open_split(root, "test", 1))
    version = HELD_OUT.version
    told = f"held_out version {version}, test: 1 videos, {num_expressions} expressions"
    assert told in first
    assert head.split() == [
        *("kind", "expressions", "J", "F", "J&F", "oracle", "shuffled", "largest"),
    ]
    assert "scoring: 100%" in captured.err
    content = json.loads(file.read_text())
    assert (content["preset"], content["version"], content["seed"]) == ("held_out", version, 0)
    assert content["num_videos"] == 1
    assert content["scores"]["all"]["num_expressions"] == num_expressions
    assert content["scores"]["all"]["oracle"] > 0.9
    assert set(content["learned"]) == set(content["scores"]) - {"all"}


def test_frame_by_frame_without_shuffling(
    root: Path, nano_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--weights", str(nano_weights), "--root", str(root), "--max-videos", "1"]
    more = ["--frame-by-frame", "--no-shuffle", "--selection", "top1", "--device", "cpu"]
    assert main(["held-out", *options, *more]) == 0
    out = capsys.readouterr().out
    assert "frame by frame" in out
    assert "TopOne()" in out
    assert "shuffled" not in out
    assert "not learned" not in out


def test_nothing_can_be_answered(
    root: Path, nano_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "scores.json"
    options = ["--weights", str(nano_weights), "--root", str(root), "--device", "cpu"]
    more = ["--no-shuffle", "--no-target", "1", "--json", str(file)]
    assert main(["held-out", *options, *more, "--max-videos", "2"]) == 0
    rule = "NoTargetDecision(target_threshold=1.0, selection=ThresholdUnion(threshold=0.2))"
    assert rule in capsys.readouterr().out
    scores = json.loads(file.read_text())["scores"]
    # An empty answer is right where there is no target, and else where all are out of sight.
    assert scores.pop("none")["J"] == 1
    assert all(row["J"] < 0.5 for row in scores.values())


def test_kinds_below_the_margin_are_marked() -> None:
    model = {"top1": result(motion=0.60, relation=0.90, direction=0.649)}
    shuffled = {"top1": result(motion=0.40, relation=0.30, direction=0.40)}
    scores = HeldOutScores(model, shuffled, result(motion=1.0), result(motion=0.1))
    table = mark_unlearned(score_rows(model["top1"], scores.columns("top1")), scores, "top1")
    marked = [line.split()[0] for line in table.splitlines() if line.endswith("  not learned")]
    assert marked == ["direction", "motion"]
    assert table.splitlines()[-1].startswith("not learned: J&F is less than 25 points above")


def test_a_table_without_failures_has_no_note() -> None:
    model, shuffled = {"top1": result(motion=0.9)}, {"top1": result(motion=0.4)}
    scores = HeldOutScores(model, shuffled, result(motion=1.0), result(motion=0.1))
    table = mark_unlearned(score_rows(model["top1"], scores.columns("top1")), scores, "top1")
    assert "not learned" not in table


def test_missing_videos_are_added_and_those_there_are_kept(root: Path) -> None:
    frame = next((root / "test" / "JPEGImages").glob("*/*.jpg"))
    written = frame.stat().st_mtime_ns
    assert len(open_split(root, "test", 3).videos) == 3
    assert frame.stat().st_mtime_ns == written
    assert len(open_split(root, "test", 1).videos) == 1


def test_the_first_videos_are_those_of_the_whole_split(root: Path, tmp_path: Path) -> None:
    every_id = sorted(
        make_video_id(HELD_OUT, "test", HELD_OUT_SEED, index)
        for index in range(HELD_OUT_NUM_VIDEOS)
    )
    # The first by number, as `rvos moving-shapes` and the demo write them, are others.
    write_moving_shapes(tmp_path, split="test", num_videos=3, progress=False)
    for folder in (root, tmp_path):
        for num_videos in (3, 1):
            videos = open_split(folder, "test", num_videos).videos
            assert [video.video_id for video in videos] == every_id[:num_videos]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--max-videos", "0"], "has 1 to 150 videos, not 0"),
        (["--max-videos", "151"], "has 1 to 150 videos, not 151"),
        (["--selection", "top1", "--threshold", "0.3"], "--threshold belongs to"),
        (["--json", "missing/scores.json"], "missing or read-only"),
        (["--weights", "missing.pth"], "missing.pth"),
        (["--device", "abacus"], "there is no device 'abacus'"),
    ],
)
def test_what_cannot_work_is_one_line(
    options: list[str],
    message: str,
    nano_weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["held-out", "--weights", str(nano_weights), *options]) == 1
    captured = capsys.readouterr()
    assert message in captured.err
    assert len(captured.err.splitlines()) <= 2
    assert list(tmp_path.iterdir()) == []


def test_videos_of_another_seed_are_refused(tmp_path: Path) -> None:
    write_moving_shapes(tmp_path, split="test", num_videos=1, seed=5, progress=False)
    with pytest.raises(Exception, match="of another seed"):
        open_split(tmp_path, "test", 1)
