import time

from lightning.pytorch import Trainer
from lightning.pytorch.profilers import SimpleProfiler

from rvos.callbacks.loader_clock import LoaderClock


def _trainer() -> tuple[Trainer, SimpleProfiler]:
    profiler = SimpleProfiler()
    return Trainer(profiler=profiler, logger=False, accelerator="cpu"), profiler


def test_only_the_loader_is_timed_and_everything_is_handed_on() -> None:
    trainer, profiler = _trainer()
    clock = LoaderClock.in_front_of(trainer)
    with clock.profile("[Callback]on_train_batch_end"):
        time.sleep(0.01)
    assert clock.take() == 0.0
    with clock.profile("[_TrainingEpochLoop].train_dataloader_next"):
        time.sleep(0.01)
    assert clock.take() >= 0.01
    assert clock.take() == 0.0
    assert len(profiler.recorded_durations) == 2
    assert "train_dataloader_next" in clock.summary()


def test_it_is_put_in_place_once_and_taken_away() -> None:
    trainer, profiler = _trainer()
    clock = LoaderClock.in_front_of(trainer)
    assert LoaderClock.in_front_of(trainer) is clock
    clock.remove_from(trainer)
    assert vars(trainer)["profiler"] is profiler
