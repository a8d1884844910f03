from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Trainer
from torch.utils.data import DataLoader

from rvos.models.referdino import ReferDINO
from rvos.structures import VideoBatch
from rvos.tasks.word_pretraining import WordPretrainingTask, best_token_hits


def _trainer(folder: Path, max_steps: int) -> Trainer:
    return Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        logger=False,
        max_steps=max_steps,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )


def test_only_text_fusion_and_scores_train(nano_model: ReferDINO) -> None:
    WordPretrainingTask(nano_model)
    trained = {
        ".".join(name.split(".")[1:2])
        for name, parameter in nano_model.named_parameters()
        if parameter.requires_grad
    }
    assert trained == {"text_encoder", "fusion_encoder", "proposal_selector"}
    box_head = nano_model.grounder.proposal_selector.box_head
    assert not any(parameter.requires_grad for parameter in box_head.parameters())


def test_best_token_counts_only_on_a_referred_object(
    make_batch: Callable[..., VideoBatch],
) -> None:
    batch = make_batch(num_clips=1, num_frames=2)  # 64 x 96, referred object at 8..32
    logits = torch.full((1, 2, 8 * 12, 3), -5.0)
    logits[0, 0, 2 * 12 + 2, 1] = 1.0  # centre at (20, 20): inside
    logits[0, 1, 6 * 12 + 7, 0] = 1.0  # on the other object
    assert best_token_hits(logits, [(8, 12)], batch).tolist() == [True, False]


def test_frames_without_a_referred_object_do_not_count(
    make_batch: Callable[..., VideoBatch],
) -> None:
    batch = make_batch(num_clips=1, num_frames=2)
    batch.targets[0].masks[0, 1] = False
    assert best_token_hits(torch.zeros(1, 2, 96, 3), [(8, 12)], batch).shape == (1,)
    batch.targets[0].referred[:] = False
    assert best_token_hits(torch.zeros(1, 2, 96, 3), [(8, 12)], batch).shape == (0,)


@pytest.mark.parametrize("num_frames", [1, 2])
def test_loss_falls_and_the_image_encoder_stays(
    nano_model: ReferDINO,
    make_batch: Callable[..., VideoBatch],
    tmp_path: Path,
    num_frames: int,
) -> None:
    task = WordPretrainingTask(
        nano_model, optimizer=lambda parameters: torch.optim.AdamW(parameters, lr=3e-3)
    )
    batch = make_batch(num_clips=2, num_frames=num_frames)
    before = {name: p.clone() for name, p in nano_model.grounder.image_encoder.named_parameters()}
    with torch.no_grad():
        start = task.criterion(*task.eval().word_scores(batch), batch.targets)
    _trainer(tmp_path, 15).fit(task.train(), DataLoader([batch] * 15, batch_size=None))
    with torch.no_grad():
        end = task.criterion(*task.eval().word_scores(batch), batch.targets)
    assert end < 0.8 * start
    for name, parameter in nano_model.grounder.image_encoder.named_parameters():
        torch.testing.assert_close(parameter, before[name], rtol=0, atol=0)
