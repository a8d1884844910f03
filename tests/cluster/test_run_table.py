import json
from pathlib import Path

from rvos.cluster.run_listing import RunSummary
from rvos.cluster.run_table import format_runs, headline, runs_as_json, value_of


def _run(name: str = "mevis", **entries: object) -> RunSummary:
    return RunSummary(Path("runs") / name, name, "version_0", **entries)  # type: ignore[arg-type]


def test_columns_are_aligned() -> None:
    runs = [
        _run(
            state="finished",
            step=100,
            max_steps=20000,
            epoch=3,
            metrics={"val/J&F": 0.51239},
            ranked_by="val/J&F",
            checkpoint="checkpoints/best.ckpt",
            seconds=3 * 86400 + 61.0,
            seed=42,
            commit="01234567",
        ),
        _run("a_much_longer_name"),
    ]
    assert format_runs(runs, None, show_verbs=False).splitlines() == [
        "NAME                VERSION    STATE          STEP  EPOCH  BEST            CHECKPOINT    "
        "             TIME  SEED  COMMIT",
        "mevis               version_0  finished  100/20000      3  val/J&F 0.5124  "
        "checkpoints/best.ckpt  72:01:01    42  01234567",
        "a_much_longer_name  version_0  unknown           -      -  -               -             "
        "                -     -  -",
    ]


def test_a_broken_record_and_control_characters_do_not_break_the_table() -> None:
    run = _run("a\nb\x1b[31m", problem="run.json is not JSON")
    _, line = format_runs([run], None, show_verbs=True).splitlines()
    assert line.startswith("a?b?[31m")
    assert "broken record" in line


def test_metric_is_found_with_and_without_what_is_before_the_slash() -> None:
    run = _run(metrics={"test/J": 0.1, "val/overall IoU": 0.2})
    assert value_of(run, "overall IoU") == 0.2
    assert value_of(run, "val/overall IoU") == 0.2
    assert value_of(run, "IoU") is None


def test_headline_is_what_checkpoints_are_ranked_by_else_the_best_known() -> None:
    metrics = {"val/J": 0.1, "val/J&F": 0.2, "val/accuracy": 0.3}
    assert headline(_run(metrics=metrics, ranked_by="val/accuracy")) == "val/accuracy"
    assert headline(_run(metrics=metrics)) == "val/J&F"
    assert headline(_run(metrics={"val/x": 0.1})) == "val/x"
    assert headline(_run()) is None


def test_json_has_everything() -> None:
    (entry,) = json.loads(runs_as_json([_run(error="no space", metrics={"val/J": 0.1})]))
    assert entry["folder"] == "runs/mevis"
    assert (entry["error"], entry["metrics"]) == ("no space", {"val/J": 0.1})
