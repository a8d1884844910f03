from pathlib import Path

import pytest
import torch
from lightning.pytorch import Trainer
from torch import Tensor
from torch.utils.data import DataLoader

from rvos.datasets.scene_batch import LOOK_FEATURES, SceneBatch, Scenes
from rvos.models.referdino import ReferDINO
from rvos.tasks.scene_pretraining import (
    SceneModelError,
    ScenePretrainingTask,
    best_object_hits,
    truth_loss,
)


def scenes(num_frames: int, num_objects: tuple[int, int] = (3, 1)) -> Scenes:
    generator = torch.Generator().manual_seed(num_frames)
    valid = torch.arange(3) < torch.tensor(num_objects)[:, None]
    boxes = 0.2 + 0.5 * torch.rand(2, 3, num_frames, 4, generator=generator)
    looks = torch.rand(2, 3, LOOK_FEATURES, generator=generator).round()
    return Scenes(
        boxes_cxcywh=boxes * valid[..., None, None],
        looks=looks * valid[..., None],
        valid_objects=valid,
        phrases=["the red circle that moves left", "the star"],
        labels=torch.tensor([[1, 0, 0], [0, 1, -100]]).masked_fill(~valid, -100),
    )


def places(task: ScenePretrainingTask, frames: Scenes) -> Tensor:
    return task.place_scores(frames, task._read(frames.phrases))


def actions(task: ScenePretrainingTask, clips: Scenes) -> Tensor:
    return task.action_scores(clips, task._read(clips.phrases))


@pytest.fixture
def scene_batch() -> SceneBatch:
    return SceneBatch(
        ["0", "1"],
        scenes(1),
        scenes(4),
        ["the star", "the red circle"],
        ["the red circle", "the star"],
    )


def test_only_text_and_temporal_part_train(nano_model: ReferDINO) -> None:
    task = ScenePretrainingTask(nano_model)
    trained = {name.split(".")[0] for name, p in nano_model.named_parameters() if p.requires_grad}
    assert trained == {"grounder", "temporal_enhancer"}
    assert not any(p.requires_grad for p in nano_model.grounder.fusion_encoder.parameters())
    assert all(p.requires_grad for p in nano_model.grounder.text_encoder.parameters())
    assert not any(p.requires_grad for p in task.initial_text_encoder.parameters())


def test_every_parameter_is_stored_once(nano_model: ReferDINO) -> None:
    task = ScenePretrainingTask(nano_model)
    stored = [p.data_ptr() for p in task.state_dict().values() if p.numel()]
    assert len(stored) == len(set(stored))


def test_a_model_without_temporal_decoder_is_refused(nano_model: ReferDINO) -> None:
    nano_model.temporal_enhancer = None
    with pytest.raises(SceneModelError, match="give it a temporal_enhancer"):
        ScenePretrainingTask(nano_model)


def test_padded_objects_change_nothing(nano_model: ReferDINO) -> None:
    task = ScenePretrainingTask(nano_model).eval()
    wide = scenes(1, (2, 2))
    narrow = Scenes(
        wide.boxes_cxcywh[:, :2],
        wide.looks[:, :2],
        wide.valid_objects[:, :2],
        wide.phrases,
        wide.labels[:, :2],
    )
    assert (wide.labels[:, 2] == -100).all()
    torch.testing.assert_close(places(task, wide)[:, :2], places(task, narrow))


def test_padded_words_change_nothing(nano_model: ReferDINO) -> None:
    task = ScenePretrainingTask(nano_model).eval()
    both = scenes(4, (3, 3))
    short = Scenes(
        both.boxes_cxcywh[1:],
        both.looks[1:],
        both.valid_objects[1:],
        both.phrases[1:],
        both.labels[1:],
    )
    padded, alone = actions(task, both)[1:], actions(task, short)
    num_words = alone.shape[-1]
    assert padded.shape[-1] > num_words
    assert padded[..., num_words:].isneginf().all()
    torch.testing.assert_close(padded[..., :num_words], alone, rtol=1e-4, atol=1e-5)


def test_noise_is_for_training_only(nano_model: ReferDINO) -> None:
    task = ScenePretrainingTask(nano_model)
    clips = scenes(4)
    task.eval()
    assert torch.equal(actions(task, clips), actions(task, clips))
    task.train()
    assert not torch.equal(actions(task, clips), actions(task, clips))


def test_an_empty_frame_gives_no_loss_and_no_nan(nano_model: ReferDINO) -> None:
    task = ScenePretrainingTask(nano_model).eval()
    frames = scenes(1, (0, 0))
    logits = places(task, frames)
    assert logits.isfinite().all()
    assert truth_loss(logits, frames.labels) == 0
    assert not best_object_hits(logits, frames.labels).numel()


def test_hits_count_phrases_that_tell_objects_apart() -> None:
    logits = torch.tensor([[3.0, 2.0, 9.0], [0.0, 1.0, 9.0], [1.0, 2.0, 9.0]])
    labels = torch.tensor([[1, 0, -100], [1, 0, -100], [1, 1, -100]])
    assert best_object_hits(logits, labels).tolist() == [1.0, 0.0]


def test_open_labels_count_for_nothing() -> None:
    logits, labels = torch.tensor([0.3, float("-inf"), 2.0]), torch.tensor([1, -100, 0])
    torch.testing.assert_close(
        truth_loss(logits, labels), truth_loss(logits[[0, 2]], labels[[0, 2]])
    )
    assert truth_loss(logits, torch.full_like(labels, -100)) == 0


def test_loss_falls_and_phrases_about_looks_keep_their_features(
    nano_model: ReferDINO, scene_batch: SceneBatch, tmp_path: Path
) -> None:
    torch.manual_seed(0)

    def build(keep_weight: float) -> ScenePretrainingTask:
        return ScenePretrainingTask(
            nano_model,
            keep_weight=keep_weight,
            optimizer=lambda parameters: torch.optim.AdamW(parameters, lr=3e-3),
        )

    def loss(task: ScenePretrainingTask) -> float:
        task.eval()
        with torch.no_grad():
            frames, clips = scene_batch.frames, scene_batch.clips
            missed = task.clip_losses(clips, task._read(clips.phrases)).values()
            return float(truth_loss(places(task, frames), frames.labels) + sum(missed))

    def fit(task: ScenePretrainingTask) -> float:
        Trainer(
            default_root_dir=tmp_path,
            accelerator="cpu",
            logger=False,
            max_steps=20,
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
        ).fit(task.train(), DataLoader([scene_batch] * 20, batch_size=None))
        with torch.no_grad():
            task.eval()
            texts = scene_batch.frames.phrases, scene_batch.clips.phrases
            return float(sum(task.keep_losses(scene_batch, *map(task._read, texts)).values()))

    state = {name: value.clone() for name, value in nano_model.state_dict().items()}
    kept = build(keep_weight=20.0)
    before = loss(kept)
    moved_with_weight = fit(kept)
    assert loss(kept) < 0.8 * before
    for name, parameter in nano_model.grounder.fusion_encoder.named_parameters():
        assert torch.equal(parameter, state[f"grounder.fusion_encoder.{name}"])
    nano_model.load_state_dict(state)
    assert moved_with_weight < 0.5 * fit(build(keep_weight=0.0))
