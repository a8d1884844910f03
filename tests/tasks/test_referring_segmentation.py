import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningDataModule, Trainer

import rvos
from rvos.losses import SetCriterion
from rvos.models.adaptation import AdaptationPolicy
from rvos.models.referdino import ReferDINO
from rvos.structures import VideoBatch
from rvos.tasks.optimized_task import NonFiniteLossError
from rvos.tasks.referring_segmentation import ReferringSegmentationTask
from rvos.tasks.tokenizers import open_tokenizer


def _trainer(folder: Path, **kwargs: Any) -> Trainer:
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    return Trainer(default_root_dir=folder, accelerator="cpu", **quiet, **kwargs)


def test_all_trainable_weights_move_and_no_frozen_one(
    nano_model: ReferDINO, noise_data: LightningDataModule, tmp_path: Path
) -> None:
    task = ReferringSegmentationTask(nano_model, SetCriterion(), AdaptationPolicy(rank=2))
    before = {name: p.detach().clone() for name, p in task.model.named_parameters()}
    # Gradients reach lora_A once lora_B has left zero.
    _trainer(tmp_path, max_steps=3).fit(task, noise_data)
    for name, parameter in task.model.named_parameters():
        moved = not torch.equal(parameter, before[name])
        assert moved <= parameter.requires_grad, name
        if parameter.requires_grad and "position" not in name:
            assert moved, name


def test_frozen_parts_stay_in_evaluation_mode(
    nano_model: ReferDINO, noise_data: LightningDataModule, tmp_path: Path
) -> None:
    modes: list[tuple[bool, bool]] = []

    class Watched(ReferringSegmentationTask):
        def training_step(self, batch: VideoBatch, batch_idx: int) -> torch.Tensor:
            modes.append((self.model.grounder.image_encoder.training, self.model.training))
            return super().training_step(batch, batch_idx)

    task = Watched(nano_model, SetCriterion(), AdaptationPolicy(rank=2))
    _trainer(tmp_path, max_epochs=2, check_val_every_n_epoch=1).fit(task, noise_data)
    assert modes == [(False, True)] * 4


def test_scores_are_kept_and_logged_per_kind(
    nano_model: ReferDINO, noise_data: LightningDataModule, tmp_path: Path
) -> None:
    task = ReferringSegmentationTask(nano_model, SetCriterion())
    trainer = _trainer(tmp_path)
    (logged,) = trainer.validate(task, noise_data, verbose=False)
    assert task.scores is not None
    assert task.scores.headline == "J&F"
    assert task.scores.table.splitlines()[-1].split()[:2] == ["all", "2"]
    assert logged["val/J&F"] == pytest.approx(task.scores.values["J&F"], abs=1e-12)
    assert logged["val/J&F/appearance"] == pytest.approx(logged["val/J&F"])
    (tested,) = trainer.test(task, noise_data, verbose=False)
    assert tested["test/J&F"] == pytest.approx(logged["val/J&F"])


def test_perfect_masks_score_one(
    nano_model: ReferDINO, noise_data: LightningDataModule, tmp_path: Path
) -> None:
    task = ReferringSegmentationTask(nano_model, SetCriterion())

    def segment(*features: Any) -> Any:
        output = ReferDINO.segment_features(nano_model, *features)
        output.pred_masks[:] = -9.0
        output.pred_masks[..., 2:8, 2:8] = 9.0
        return output

    nano_model.segment_features = segment  # type: ignore[method-assign]
    _trainer(tmp_path).validate(task, noise_data, verbose=False)
    assert task.scores is not None
    assert task.scores.values["J"] > 0.9


def test_prediction_does_not_depend_on_the_batch(
    nano_model: ReferDINO, make_batch: Callable[..., VideoBatch]
) -> None:
    task = ReferringSegmentationTask(nano_model, SetCriterion()).eval()
    with torch.no_grad():
        together = task.predict_step(make_batch(num_clips=2))
        alone = task.predict_step(make_batch(num_clips=1))
    assert together[0].score == pytest.approx(alone[0].score, abs=1e-4)
    assert (together[0].masks == alone[0].masks).float().mean() > 0.999


def test_spoiled_weights_name_step_and_samples(
    nano_model: ReferDINO, noise_data: LightningDataModule, tmp_path: Path
) -> None:
    task = ReferringSegmentationTask(nano_model, SetCriterion())
    with torch.no_grad():
        nano_model.pixel_decoder.output.weight.fill_(torch.nan)
    with pytest.raises(NonFiniteLossError, match=r"step 0 on rank 0, samples video_0/0, video_1/0"):
        _trainer(tmp_path, max_steps=1).fit(task, noise_data)


def test_initial_weights_are_taken_over(nano_model: ReferDINO, tmp_path: Path) -> None:
    state = {f"model.{name}": value for name, value in nano_model.state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "first.ckpt")
    other = copy.deepcopy(nano_model)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1.0)
    source = str(tmp_path / "first.ckpt")
    task = ReferringSegmentationTask(
        other, SetCriterion(), initial_weights=source, tokenizer="moving_shapes"
    )
    assert task.initial_weights_report is not None
    assert not task.initial_weights_report.missing
    expected = nano_model.state_dict()
    assert all(torch.equal(v, expected[name]) for name, v in task.model.state_dict().items())


def test_checkpoint_brings_its_tokenizer(
    nano_model: ReferDINO, noise_data: LightningDataModule, tmp_path: Path
) -> None:
    # The words of the expressions in another order: a model of the one cannot read the other.
    learned = open_tokenizer("moving_shapes", 64)
    words = json.loads(learned.to_files()["tokenizer.json"])
    vocabulary = words["model"]["vocab"]
    vocabulary["red"], vocabulary["circle"] = vocabulary["circle"], vocabulary["red"]
    learned.save(tmp_path)
    (tmp_path / "tokenizer.json").write_text(json.dumps(words))
    other = copy.deepcopy(nano_model)
    task = ReferringSegmentationTask(nano_model, SetCriterion(), tokenizer=str(tmp_path))
    trainer = _trainer(tmp_path, max_steps=1, enable_checkpointing=False)
    trainer.fit(task, noise_data)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    expected = task.model.tokenizer(["the red circle"]).input_ids.tolist()
    for named, same in ((None, True), ("moving_shapes", False)):
        scored = ReferringSegmentationTask(copy.deepcopy(other), SetCriterion(), tokenizer=named)
        tester = _trainer(tmp_path)
        tester.test(scored, noise_data, tmp_path / "last.ckpt", verbose=False, weights_only=True)
        found = scored.model.tokenizer(["the red circle"]).input_ids.tolist()
        assert (found == expected) == same


def test_saved_checkpoint_is_a_model(
    nano_model: ReferDINO, noise_data: LightningDataModule, tmp_path: Path
) -> None:
    task = ReferringSegmentationTask(nano_model, SetCriterion(), AdaptationPolicy(rank=2))
    trainer = _trainer(tmp_path, max_steps=2, enable_checkpointing=False)
    trainer.fit(task, noise_data)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    loaded = rvos.load_model(tmp_path / "last.ckpt", keep_adapters=True)
    expected = task.model.state_dict()
    assert any(".lora_B." in name for name in expected)
    assert loaded.state_dict().keys() == expected.keys()
    assert all(torch.equal(v, expected[n]) for n, v in loaded.state_dict().items())
    # The package's own tokenizer travels along, so that words can be asked for at once.
    frames = torch.randn(1, 2, 3, 64, 96)
    assert loaded(frames, ["the red circle"]).pred_masks.shape[:2] == (1, 2)
