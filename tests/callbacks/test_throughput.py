import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.profilers import PassThroughProfiler
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.data import DataLoader

from rvos.callbacks import LastCheckpoint, ThroughputMonitor
from rvos.callbacks.throughput import skew_between_ranks


def _events(folder: Path) -> EventAccumulator:
    events = EventAccumulator(str(folder / "run" / "only"))
    events.Reload()
    return events


def _scalars(folder: Path, tag: str) -> dict[int, float]:
    return {event.step: event.value for event in _events(folder).Scalars(tag)}


def test_gradient_norm_and_rate_are_those_of_the_step(
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
) -> None:
    with torch.no_grad():
        square_task.model.weight.fill_(3.0)
    trainer = make_trainer([ThroughputMonitor()], max_steps=2, gradient_clip_val=0.1)
    trainer.fit(square_task, clips)
    norms = _scalars(tmp_path, "optimizer/gradient_norm")
    # The gradient of 2 w^2 before clipping; the first step, clipped to 0.1, changes w by 0.001.
    assert norms[0] == pytest.approx(12.0)
    assert norms[1] == pytest.approx(4 * 2.999)
    assert _scalars(tmp_path, "gradient_norm/weight") == norms
    assert _scalars(tmp_path, "optimizer/learning_rate")[0] == pytest.approx(0.01)


class _Slow:
    """A loader that takes its time."""

    def __init__(self, clips: DataLoader[Any]) -> None:
        self.clips = clips

    def __iter__(self) -> Iterator[Any]:
        for batch in self.clips:
            time.sleep(0.2)
            yield batch


def test_waiting_for_data_is_seen(
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
) -> None:
    trainer = make_trainer([ThroughputMonitor()], max_epochs=1, log_every_n_steps=2)
    trainer.fit(square_task, _Slow(clips))
    (share,) = _scalars(tmp_path, "speed/data_wait_share").values()
    (speed,) = _scalars(tmp_path, "speed/clips_per_second").values()
    (frames,) = _scalars(tmp_path, "speed/frames_per_second").values()
    assert 0.0 < share <= 1.0
    # Four samples took at least the sleep between the two batches.
    assert 0.0 < speed < 4 / 0.2
    assert frames == pytest.approx(2 * speed)
    assert _scalars(tmp_path, "memory/process_gib")[2] > 0.01
    # One process has nobody to be compared with.
    assert not [tag for tag in _events(tmp_path).Tags()["scalars"] if tag.startswith("skew/")]
    assert type(vars(trainer)["profiler"]) is PassThroughProfiler


def test_a_step_of_several_batches_is_logged_once(
    square_task: LightningModule,
    make_trainer: Callable[..., Trainer],
    clips: DataLoader[Any],
    tmp_path: Path,
) -> None:
    trainer = make_trainer(
        [ThroughputMonitor()], max_epochs=2, accumulate_grad_batches=2, log_every_n_steps=1
    )
    trainer.fit(square_task, clips)
    events = _events(tmp_path).Scalars("speed/clips_per_second")
    assert [event.step for event in events] == [1, 2]
    norms = _events(tmp_path).Scalars("optimizer/gradient_norm")
    assert [event.step for event in norms] == [0, 1]


def test_a_resumed_run_goes_on_with_its_steps(
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
) -> None:
    # Stops in the middle of the second epoch.
    callbacks = [ThroughputMonitor(), LastCheckpoint(every_n_steps=1)]
    make_trainer(callbacks, max_epochs=3, max_steps=3).fit(square_task, clips)
    middle = tmp_path / "run" / "only" / "checkpoints" / "last.ckpt"
    second = make_trainer([ThroughputMonitor()], max_epochs=3)
    second.fit(square_task, clips, ckpt_path=middle, weights_only=True)
    speeds = _scalars(tmp_path, "speed/clips_per_second")
    assert sorted(speeds) == [1, 2, 3, 4, 5, 6]
    assert all(value > 0 for value in speeds.values())


def test_skew_names_the_slowest_rank() -> None:
    rows = torch.tensor([[1.0, 0.1], [1.0, 0.1], [4.0, 0.7]])
    values = skew_between_ranks(rows)
    assert values["skew/slowest_over_mean"] == 2.0
    assert values["skew/slowest_rank"] == 2.0
    assert values["rank_data_wait_share/rank_2"] == pytest.approx(0.7)
    assert values["rank_seconds_per_batch/rank_1"] == 1.0


def test_ranks_that_did_nothing_are_not_compared() -> None:
    assert "skew/slowest_over_mean" not in skew_between_ranks(torch.zeros(2, 2))
