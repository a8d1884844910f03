"""Every trainable parameter gets a gradient in every step, so that plain `ddp` never waits for one.

DistributedDataParallel stops at the second step if a parameter had none in the first, unless it is
told to search for such parameters in every step.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.data import DataLoader

from rvos.datasets.attribute_batch import AttributeBatch
from rvos.datasets.phrase_batch import PhraseBatch
from rvos.datasets.scene_batch import LOOK_FEATURES, SceneBatch, Scenes
from rvos.layers.described import build
from rvos.losses import GroundingCriterion, SetCriterion, TokenScoreLoss
from rvos.models.adaptation import AdaptationPolicy
from rvos.models.referdino import ReferDINO
from rvos.structures import VideoBatch
from rvos.structures.errors import RvosError
from rvos.tasks import (
    DensePretrainingTask,
    GroundingPretrainingTask,
    ImagePretrainingTask,
    PhrasePretrainingTask,
    ReferringSegmentationTask,
    ScenePretrainingTask,
)

ROOT = Path(__file__).parents[2]
NANO_MODEL = ROOT / "tests" / "integration" / "referdino_nano.yaml"
MODEL_KEY = "model.init_args.model."
FOLDERS = {kind: ROOT / "configs" / kind for kind in ("ablation", "adaptation")}
ABLATIONS = sorted(path.stem for path in FOLDERS["ablation"].glob("*.yaml"))
POLICIES = sorted(path.stem for path in FOLDERS["adaptation"].glob("*.yaml"))


def model_of(ablation: str | None) -> ReferDINO:
    """Build the smallest model as an ablation has it."""
    description = yaml.safe_load(NANO_MODEL.read_text(encoding="utf-8"))
    changes: dict[str, Any] = {}
    if ablation is not None:
        text = (FOLDERS["ablation"] / f"{ablation}.yaml").read_text(encoding="utf-8")
        changes = yaml.safe_load(text)
    for key, value in changes.items():
        assert key.startswith(MODEL_KEY)
        *parents, last = key.removeprefix(MODEL_KEY).split(".")
        place = description
        for parent in parents:
            place = place[parent]
        place[last] = value
        if isinstance(value, dict) and last == "mask_head":
            value["init_args"] = {"hidden_dim": 32}
    model: ReferDINO = build(description)
    return model


def policy_of(name: str) -> AdaptationPolicy:
    text = (FOLDERS["adaptation"] / f"{name}.yaml").read_text(encoding="utf-8")
    arguments = yaml.safe_load(text)["init_args"]
    return AdaptationPolicy(**(arguments | {"rank": 2} if "rank" in arguments else arguments))


class Unreached(Callback):
    """Writes down which trainable parameters a step has left without a gradient."""

    def __init__(self) -> None:
        self.names: list[str] | None = None

    def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
        del trainer
        self.names = [
            name
            for name, parameter in pl_module.named_parameters()
            if parameter.requires_grad and parameter.grad is None
        ]


def unreached(task: LightningModule, batch: Any, folder: Path) -> list[str]:
    seen = Unreached()
    trainer = Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        max_steps=1,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[seen],
    )
    trainer.fit(task, DataLoader([batch], batch_size=None))  # type: ignore[arg-type]
    assert seen.names is not None
    return seen.names


def without_targets(batch: VideoBatch) -> VideoBatch:
    for targets in batch.targets:
        targets.masks[:] = False
        targets.present[:] = False
        targets.boxes_cxcywh[:] = 0
    return batch


# Every ablation, with everything trainable; every policy, on the whole model; the loss on the last
# layer alone, with either.
CASES = [
    *((ablation, None, True) for ablation in [None, *ABLATIONS]),
    *((None, policy, deep) for policy in POLICIES for deep in (True, False)),
    ("dynamic_head", None, False),
    (None, None, False),
]


@pytest.mark.parametrize(("ablation", "policy", "deep_supervision"), CASES)
def test_every_trainable_parameter_gets_a_gradient(
    ablation: str | None,
    policy: str | None,
    deep_supervision: bool,
    make_batch: Callable[..., VideoBatch],
    tmp_path: Path,
) -> None:
    for without_any in (False, True):
        batch = without_targets(make_batch()) if without_any else make_batch()
        task = ReferringSegmentationTask(
            model_of(ablation),
            SetCriterion(target_tracks="union" if without_any else "all"),
            None if policy is None else policy_of(policy),
            deep_supervision=deep_supervision,
        )
        assert unreached(task, batch, tmp_path) == []


def test_a_clip_without_any_track_reaches_them_too(
    make_batch: Callable[..., VideoBatch], tmp_path: Path
) -> None:
    batch = make_batch()
    for targets in batch.targets:
        for name in ("boxes_cxcywh", "masks", "present", "referred"):
            setattr(targets, name, getattr(targets, name)[:0])
    task = ReferringSegmentationTask(model_of(None), SetCriterion(token_loss=TokenScoreLoss()))
    assert unreached(task, batch, tmp_path) == []


@pytest.mark.parametrize("policy", ["published", "all_but_backbone"])
def test_single_frames_reach_what_trains_on_them(
    policy: str, make_batch: Callable[..., VideoBatch], tmp_path: Path
) -> None:
    task = ImagePretrainingTask(model_of(None), SetCriterion(), policy_of(policy))
    assert unreached(task, make_batch(num_frames=1), tmp_path) == []


def test_a_policy_that_trains_nothing_of_a_model_is_a_clear_error(
    make_batch: Callable[..., VideoBatch], tmp_path: Path
) -> None:
    task = ReferringSegmentationTask(
        model_of("without_temporal_enhancer"), SetCriterion(), policy_of("temporal")
    )
    with pytest.raises(RvosError, match=r"nothing of the model trains.*choose another"):
        unreached(task, make_batch(), tmp_path)


@pytest.mark.parametrize("has_true_phrase", [True, False])
def test_prompts_reach_what_trains_on_them(
    has_true_phrase: bool, phrase_batch: PhraseBatch, tmp_path: Path
) -> None:
    if not has_true_phrase:
        for labels in (*phrase_batch.phrase_maps, *phrase_batch.judgements):
            labels.zero_()
    tasks = [
        PhrasePretrainingTask(model_of(None)),
        GroundingPretrainingTask(model_of(None), GroundingCriterion(), policy_of("image_part")),
    ]
    for task in tasks:
        assert unreached(task, phrase_batch, tmp_path) == []


@pytest.mark.parametrize("policy", ["temporal", "all_but_backbone"])
def test_clips_with_prompts_reach_the_temporal_part(
    policy: str, phrase_batch: PhraseBatch, tmp_path: Path
) -> None:
    phrase_batch.frames = phrase_batch.frames.expand(-1, 2, -1, -1, -1).contiguous()
    phrase_batch.phrase_maps = [maps.repeat(1, 2, 1, 1) for maps in phrase_batch.phrase_maps]
    for targets in phrase_batch.objects:
        for name in ("boxes_cxcywh", "masks", "present"):
            value = getattr(targets, name)
            setattr(targets, name, value.repeat_interleave(2, dim=1))
    task = GroundingPretrainingTask(model_of(None), GroundingCriterion(), policy_of(policy))
    assert unreached(task, phrase_batch, tmp_path) == []


def test_pixels_reach_what_trains_on_them(tmp_path: Path) -> None:
    labels = torch.zeros(2, 64, 96, dtype=torch.long)
    batch = AttributeBatch(["0", "1"], torch.randn(2, 3, 64, 96), *[labels.clone()] * 5)
    assert unreached(DensePretrainingTask(model_of(None)), batch, tmp_path) == []
    ignored = [torch.full_like(labels, -100) for _ in range(4)]
    batch = AttributeBatch(["0", "1"], torch.randn(2, 3, 64, 96), labels, *ignored)
    assert unreached(DensePretrainingTask(model_of(None)), batch, tmp_path) == []


def scenes(num_frames: int) -> Scenes:
    return Scenes(
        boxes_cxcywh=0.2 + 0.5 * torch.rand(2, 3, num_frames, 4),
        looks=torch.rand(2, 3, LOOK_FEATURES).round(),
        valid_objects=torch.ones(2, 3, dtype=torch.bool),
        phrases=["the red circle that moves left", "the star"],
        labels=torch.tensor([[1, 0, 0], [0, 1, -100]]),
    )


@pytest.mark.parametrize("keep_weight", [0.0, 20.0])
def test_scenes_reach_what_trains_on_them(keep_weight: float, tmp_path: Path) -> None:
    looks = ["the star", "the red circle"]
    batch = SceneBatch(["0", "1"], scenes(1), scenes(4), looks, looks[::-1])
    task = ScenePretrainingTask(model_of(None), keep_weight=keep_weight)
    assert unreached(task, batch, tmp_path) == []
