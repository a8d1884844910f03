from pathlib import Path

import pytest
import torch
from lightning.pytorch import Trainer
from torch.utils.data import DataLoader

from rvos.datasets.phrase_batch import PhraseBatch
from rvos.losses import GroundingCriterion
from rvos.models.adaptation import AdaptationPolicy
from rvos.models.referdino import ReferDINO
from rvos.structures import ClipTargets
from rvos.tasks.grounding_pretraining import GroundingPretrainingTask, grounding_targets


@pytest.fixture
def task(nano_model: ReferDINO) -> GroundingPretrainingTask:
    return GroundingPretrainingTask(
        nano_model,
        GroundingCriterion(),
        AdaptationPolicy("all_but_backbone", train_temporal=False),
        optimizer=lambda parameters: torch.optim.AdamW(parameters, lr=2e-3),
    )


def trainer(folder: Path, max_steps: int) -> Trainer:
    return Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        logger=False,
        max_steps=max_steps,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )


def test_targets_follow_the_phrases_of_the_prompt(
    task: GroundingPretrainingTask, phrase_batch: PhraseBatch
) -> None:
    tokens = task.model.tokenize(phrase_batch.prompts)
    output = task.model.forward_with_auxiliary(phrase_batch.frames, tokens)
    targets = grounding_targets(phrase_batch, tokens, output)
    first, second = targets.object_labels
    # [CLS] is true of whatever any phrase is true of; then come the words of the first phrase.
    assert first[:, 0].tolist() == [1, 1]
    assert first[:, 1].tolist() == [1, 0]
    assert first[:, -2].tolist() == [0, 0]
    assert second.shape[1] == first.shape[1] == targets.valid_words.shape[1]
    padding = ~targets.valid_words[:, None, None].expand_as(targets.token_labels)
    assert padding.any()
    assert (targets.token_labels[padding] < 0).all()
    assert len(output.query_word_logits) == len(output.aux_outputs) + 1
    best = output.query_word_logits[-1].amax(-1, keepdim=True)
    torch.testing.assert_close(best, output.pred_logits)


def test_loss_falls_while_backbone_and_temporal_enhancer_stay(
    task: GroundingPretrainingTask, phrase_batch: PhraseBatch, tmp_path: Path
) -> None:
    before = {name: p.clone() for name, p in task.model.named_parameters()}
    with torch.no_grad():
        start = task.criterion(*task.eval().predict_words(phrase_batch)).total
    trainer(tmp_path, 12).fit(task.train(), DataLoader([phrase_batch] * 12, batch_size=None))
    with torch.no_grad():
        end = task.criterion(*task.eval().predict_words(phrase_batch)).total
    assert end < 0.9 * start
    for name, parameter in task.model.named_parameters():
        if name.startswith(("grounder.image_encoder.", "temporal_enhancer.")):
            torch.testing.assert_close(parameter, before[name], rtol=0, atol=0)


def test_validation_logs_an_accuracy(
    task: GroundingPretrainingTask, phrase_batch: PhraseBatch, tmp_path: Path
) -> None:
    loader = DataLoader([phrase_batch], batch_size=None)
    metrics = trainer(tmp_path, 1).validate(task, loader, verbose=False)
    assert 0.0 <= metrics[0]["val/accuracy"] <= 1.0


def test_clips_train_the_temporal_enhancer_alone_where_asked_to(
    nano_model: ReferDINO, phrase_batch: PhraseBatch, tmp_path: Path
) -> None:
    phrase_batch.frames = phrase_batch.frames.expand(-1, 3, -1, -1, -1)
    phrase_batch.phrase_maps = [maps.expand(-1, 3, -1, -1) for maps in phrase_batch.phrase_maps]
    phrase_batch.objects = [
        ClipTargets(
            clip.boxes_cxcywh.expand(-1, 3, -1),
            clip.masks.expand(-1, 3, -1, -1),
            clip.present.expand(-1, 3),
            clip.referred,
        )
        for clip in phrase_batch.objects
    ]
    task = GroundingPretrainingTask(nano_model, GroundingCriterion(), AdaptationPolicy("temporal"))
    before = {name: p.clone() for name, p in task.model.named_parameters()}
    trainer(tmp_path, 2).fit(task, DataLoader([phrase_batch] * 2, batch_size=None))
    changed = {
        name.split(".")[0]
        for name, parameter in task.model.named_parameters()
        if not torch.equal(parameter, before[name])
    }
    assert changed == {"temporal_enhancer"}
