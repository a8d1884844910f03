"""The demo's training: what trains, how it is interrupted, how it goes on."""

import dataclasses
import inspect
import shutil
import signal
from pathlib import Path

import pytest
import torch
from jsonargparse import ArgumentParser

import rvos
from rvos.datasets.collate import collate_clips
from rvos.demo.fitting import build_data, build_task, fit
from rvos.demo.folder import DemoFolder
from rvos.demo.settings import DemoSettings
from rvos.losses import SetCriterion
from rvos.structures import VideoBatch
from rvos.tasks import ReferringSegmentationTask
from rvos.tasks.optimized_task import NonFiniteLossError, OptimizedTask


@pytest.fixture
def folder(written_folder: DemoFolder, tmp_path: Path) -> DemoFolder:
    """A folder of its own with the videos."""
    copied = DemoFolder(tmp_path / "demo")
    shutil.copytree(written_folder.data, copied.data)
    return copied


def count_steps(monkeypatch: pytest.MonkeyPatch, interrupt_at: int | None = None) -> list[int]:
    """Note the global step of every training step; optionally press Ctrl-C in one."""
    steps: list[int] = []
    original = ReferringSegmentationTask.training_step

    def noting(task: ReferringSegmentationTask, batch: VideoBatch, batch_idx: int) -> torch.Tensor:
        steps.append(task.global_step)
        if task.global_step == interrupt_at:
            raise KeyboardInterrupt
        return original(task, batch, batch_idx)

    monkeypatch.setattr(ReferringSegmentationTask, "training_step", noting)
    return steps


def test_a_fit_changes_the_temporal_part_only(
    nano_settings: DemoSettings, folder: DemoFolder
) -> None:
    fit(nano_settings, folder)
    before = rvos.load_model(nano_settings.weights).state_dict()
    after = rvos.load_model(folder.model).state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert {name.split(".")[0] for name in changed} == {"temporal_enhancer"}


def test_an_interrupted_fit_goes_on_where_it_stopped(
    nano_settings: DemoSettings, folder: DemoFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = dataclasses.replace(nano_settings, num_steps=4)
    handler = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        steps = count_steps(patch, interrupt_at=2)
        with pytest.raises(KeyboardInterrupt):
            fit(settings, folder)
    assert steps == [0, 1, 2]
    assert folder.checkpoint.is_file()
    assert not folder.fitted
    assert signal.getsignal(signal.SIGINT) is handler
    steps = count_steps(monkeypatch)
    fit(settings, folder)
    assert steps == [2, 3]
    assert folder.fitted


def test_settings_choose_the_task(nano_settings: DemoSettings) -> None:
    assert not build_task(nano_settings).deep_supervision
    deep = dataclasses.replace(nano_settings, deep_supervision=True, trainable="all")
    task = build_task(deep)
    assert type(task) is ReferringSegmentationTask
    assert all(parameter.requires_grad for parameter in task.model.parameters())


def test_a_task_is_in_training_mode_with_the_weights_and_their_tokenizer(
    nano_settings: DemoSettings,
) -> None:
    task, source = build_task(nano_settings), rvos.load_model(nano_settings.weights)
    assert task.training
    assert task.model.training
    own = task.model.state_dict()
    assert all(torch.equal(value, own[name]) for name, value in source.state_dict().items())
    text = ["the red circle moving left"]
    assert torch.equal(task.model.tokenize(text).input_ids, source.tokenize(text).input_ids)


def test_the_loss_is_that_of_the_experiment_files(nano_settings: DemoSettings) -> None:
    path = Path(__file__).parents[2] / "configs" / "criterion" / "moving_shapes.yaml"
    parser = ArgumentParser()
    parser.add_argument("--criterion", type=SetCriterion, sub_configs=True)
    wanted = parser.instantiate(parser.parse_args([f"--criterion={path}"])).criterion
    ours = build_task(nano_settings).criterion
    modules = {"matcher", "token_loss"}
    for name in set(inspect.signature(SetCriterion).parameters) - modules:
        assert getattr(ours, name) == getattr(wanted, name), name
    for name in modules:
        assert vars(getattr(ours, name)) == vars(getattr(wanted, name)), name


def test_clips_are_of_the_chosen_kinds_and_lengths(
    nano_settings: DemoSettings, written_folder: DemoFolder
) -> None:
    settings = dataclasses.replace(nano_settings, training_kinds=("motion",), num_frames=3)
    data = build_data(settings, written_folder)
    data.setup("fit")
    batches = list(data.train_dataloader())
    assert batches
    assert {kind for batch in batches for kind in batch.expression_kinds} == {"motion"}
    assert {batch.frames.shape[1] for batch in batches} == {3}
    assert data.val_dataloader() == []


def test_the_same_seed_learns_the_same(
    nano_settings: DemoSettings, written_folder: DemoFolder, tmp_path: Path
) -> None:
    models = []
    for name in ("first", "second"):
        folder = DemoFolder(tmp_path / name)
        shutil.copytree(written_folder.data, folder.data)
        fit(nano_settings, folder)
        models.append(rvos.load_model(folder.model).state_dict())
    assert all(torch.equal(value, models[1][name]) for name, value in models[0].items())


@pytest.fixture
def batch(nano_settings: DemoSettings, written_folder: DemoFolder) -> VideoBatch:
    data = build_data(nano_settings, written_folder)
    dataset = data.training_dataset()
    return collate_clips([dataset[0], dataset[1]])


def test_the_loss_is_that_of_the_last_layer(
    nano_settings: DemoSettings, batch: VideoBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, torch.Tensor]] = []
    monkeypatch.setattr(
        OptimizedTask, "report_loss", lambda self, total, terms, ids: seen.append(terms)
    )
    task = build_task(nano_settings).eval()  # no dropout between the two passes
    loss = task.training_step(batch, 0)
    output = task.model.forward_with_auxiliary(batch.frames, batch.expressions, batch.valid_pixels)
    deep = task.criterion(output, batch.targets, batch.valid_pixels).terms
    assert set(seen[0]) == {name for name in deep if name.count("_") == 1} - {"loss_token"}
    for name, value in seen[0].items():
        torch.testing.assert_close(value, deep[name])
    loss.backward()
    gradients = {n.split(".")[0] for n, p in task.model.named_parameters() if p.grad is not None}
    assert gradients == {"temporal_enhancer"}


def test_a_lost_loss_stops_with_the_samples(
    nano_settings: DemoSettings, batch: VideoBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = build_task(nano_settings)
    error = NonFiniteLossError(f"not finite: {batch.sample_ids}")
    monkeypatch.setattr(OptimizedTask, "non_finite_loss", lambda self, sample_ids: error)
    torch.nn.init.constant_(next(task.model.mask_head.parameters()), torch.nan)
    with pytest.raises(NonFiniteLossError, match=batch.sample_ids[0]):
        task.training_step(batch, 0)
