from pathlib import Path

import pytest

import rvos
from rvos.benchmarks.stream_quality import (
    Contestant,
    QualityReport,
    measure_quality,
    quality_table,
    with_tracker,
)
from rvos.benchmarks.stream_quality_command import list_contestants
from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.write_job import WriteJob
from rvos.datasets.moving_shapes.writer import write_videos
from rvos.inference.window_plan import OverlappingWindows, PastOnly, WholeVideo
from rvos.models.referdino import MemoryAugmentedTracker, ReferDINO


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> MeViSDataset:
    """One video of 24 frames: the long ones take minutes."""
    root = tmp_path_factory.mktemp("videos")
    write_videos(WriteJob(root, "mevis", "valid_u", "test", 0, HELD_OUT), [0])
    return MeViSDataset(root, "valid_u", targets="all_tracks")


def test_contestants_answer_from_the_same_frames(samples: MeViSDataset) -> None:
    model = rvos.load_model("tiny")
    contestants = {
        "exact": Contestant(WholeVideo()),
        "fits": Contestant(OverlappingWindows(24, 12)),
        "short": Contestant(OverlappingWindows(6, 3)),
        "past": Contestant(PastOnly(4)),
        "other": Contestant(WholeVideo(), MemoryAugmentedTracker()),
    }
    report = measure_quality(model, samples, contestants, every=5)
    assert report.frames == [0, 5, 10, 15, 20]
    assert report.scores["fits"] == report.scores["exact"]
    for scores in report.scores.values():
        assert [len(frames) for frames in scores] == [5] * len(samples)
    assert report.scores["past"] != report.scores["exact"]
    assert report.scores["other"] != report.scores["exact"]


def test_another_tracker_leaves_the_model_as_it_was(make_tiny: ReferDINO) -> None:
    tracker = MemoryAugmentedTracker(memory="mean")
    assert make_tiny.temporal_enhancer is not None
    own = make_tiny.temporal_enhancer.tracker
    other = with_tracker(make_tiny, tracker)
    assert other.temporal_enhancer is not None
    assert other.temporal_enhancer.tracker is tracker
    assert make_tiny.temporal_enhancer.tracker is own
    assert other.grounder is make_tiny.grounder
    assert with_tracker(make_tiny, None) is make_tiny


@pytest.fixture
def make_tiny(nano_weights: Path) -> ReferDINO:
    return rvos.load_model(nano_weights)


def test_stretches_of_a_video() -> None:
    frames = list(range(0, 320, 8))
    falling = [1.0 if frame < 24 else 0.5 if frame < 168 else 0.0 for frame in frames]
    report = QualityReport(frames, {"a": [falling, falling]})
    assert report.mean("a", 0, 24) == 1
    table = quality_table(report, num_stretches=2)
    assert table.rows[0][0] == "a"
    assert table.rows[0][2] == "100.0"
    assert table.rows[0][-1] == "0.0"


def test_both_rules_of_memory_are_compared() -> None:
    contestants = list_contestants([], [], trackers=True)
    rules = {
        (one.tracker.locality, one.tracker.memory_rule)
        for one in contestants.values()
        if one.tracker is not None
    }
    assert rules == {(None, "momentum"), (None, "mean"), (4.0, "momentum"), (4.0, "mean")}
    assert len(contestants) == 5
