from pathlib import Path

import torch
from lightning.pytorch import Trainer
from torch.utils.data import DataLoader

from rvos.datasets.phrase_batch import PhraseBatch
from rvos.models.referdino import ReferDINO
from rvos.tasks.phrase_pretraining import PhrasePretrainingTask, best_pair_hits


def test_only_text_fusion_and_scores_train(nano_model: ReferDINO) -> None:
    PhrasePretrainingTask(nano_model)
    trained = {
        ".".join(name.split(".")[1:2])
        for name, parameter in nano_model.named_parameters()
        if parameter.requires_grad
    }
    assert trained == {"text_encoder", "fusion_encoder", "proposal_selector"}
    box_head = nano_model.grounder.proposal_selector.box_head
    assert not any(parameter.requires_grad for parameter in box_head.parameters())


def test_padding_is_open_and_words_follow_their_phrases(
    nano_model: ReferDINO, phrase_batch: PhraseBatch
) -> None:
    task = PhrasePretrainingTask(nano_model).eval()
    logits, labels = task.word_scores(phrase_batch)
    assert logits.shape == labels.shape
    valid = nano_model.tokenize(phrase_batch.prompts).attention_mask.bool()
    assert not valid[1].all()
    assert (labels[1][:, ~valid[1]] == -100).all()
    assert logits[labels != -100].isfinite().all()
    tokens = nano_model.tokenize(["the red circle."]).input_ids.shape[1]
    # [CLS] is true of any phrase, the words of the third one of nothing.
    first, third = labels[0, :, 1 : tokens - 1], labels[0, :, -3]
    assert (first == first[:, :1]).all()
    assert (first[:, 0] == 1).any()
    assert (third <= 0).all()
    assert set(labels[0, :, 0].tolist()) >= {0, 1}


def test_best_pair_counts_only_frames_with_a_true_phrase() -> None:
    logits = torch.tensor([[[0.0, 3.0]], [[0.0, 3.0]], [[9.0, 3.0]]])
    labels = torch.tensor([[[0, 1]], [[0, 0]], [[-100, 1]]])
    assert best_pair_hits(logits, labels).tolist() == [1.0, 1.0]
    assert best_pair_hits(-logits, labels).tolist() == [0.0, 1.0]


def test_loss_falls_and_the_image_encoder_stays(
    nano_model: ReferDINO, phrase_batch: PhraseBatch, tmp_path: Path
) -> None:
    task = PhrasePretrainingTask(
        nano_model, optimizer=lambda parameters: torch.optim.AdamW(parameters, lr=3e-3)
    )
    before = {name: p.clone() for name, p in nano_model.grounder.image_encoder.named_parameters()}
    with torch.no_grad():
        start = task.criterion(*task.eval().word_scores(phrase_batch))
    Trainer(
        default_root_dir=tmp_path,
        accelerator="cpu",
        logger=False,
        max_steps=15,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    ).fit(task.train(), DataLoader([phrase_batch] * 15, batch_size=None))
    with torch.no_grad():
        end = task.criterion(*task.eval().word_scores(phrase_batch))
    assert end < 0.8 * start
    for name, parameter in nano_model.grounder.image_encoder.named_parameters():
        torch.testing.assert_close(parameter, before[name], rtol=0, atol=0)
