"""Train the smallest model on noise, in as many processes as Lightning starts of this script.

Started as ``training_worker.py FOLDER OPTIONS``; options are JSON. Every rank writes its parameters
to ``FOLDER/rank_<n>.pt``.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
import yaml
from lightning.pytorch import LightningDataModule, Trainer, seed_everything
from torch.utils.data import Dataset

from rvos.datamodules.loader import EpochDataLoader, training_loader
from rvos.datasets.epoch_counter import EpochCounter
from rvos.layers.described import build
from rvos.losses import SetCriterion, TokenScoreLoss
from rvos.models.adaptation import AdaptationPolicy
from rvos.ops.boxes import box_xyxy_to_cxcywh, masks_to_boxes_xyxy
from rvos.structures import ClipTargets, VideoSample
from rvos.tasks.referring_segmentation import ReferringSegmentationTask

NANO_MODEL = Path(__file__).with_name("referdino_nano.yaml")
DROPOUT_OF_BERT = ("hidden_dropout_prob", "attention_probs_dropout_prob")
HEIGHT, WIDTH, NUM_FRAMES = 64, 96, 2


class NoiseClips(EpochCounter, Dataset[VideoSample]):
    """Clips of one size; expressions of one length.

    Args:
        num_clips: Number of clips.
        without_target: Clips that do not show their target.
        same_targets: Whether all others show the same ones in as many frames.
    """

    def __init__(self, num_clips: int, without_target: set[int], same_targets: bool) -> None:
        super().__init__()
        self.same_targets = same_targets
        self.num_clips = num_clips
        self.without_target = without_target

    def __len__(self) -> int:
        return self.num_clips

    def __getitem__(self, index: int) -> VideoSample:
        generator = torch.Generator().manual_seed(100 * self.epoch + index)
        masks = torch.zeros(2, NUM_FRAMES, HEIGHT, WIDTH, dtype=torch.bool)
        kind = 0 if self.same_targets else index
        masks[0, : 1 + kind % 2, 8 : 32 + kind, 8:32] = True
        masks[1, :, 40:60, 50 : 80 - kind] = True
        if index in self.without_target:
            masks[0] = False
        boxes = box_xyxy_to_cxcywh(masks_to_boxes_xyxy(masks))
        return VideoSample(
            sample_id=f"video_{index}/0",
            video_id=f"video_{index}",
            expression="the red circle" if index % 3 else "the big square",
            expression_kind="appearance",
            frame_ids=[f"{frame:05d}" for frame in range(NUM_FRAMES)],
            frames=torch.randn(NUM_FRAMES, 3, HEIGHT, WIDTH, generator=generator),
            targets=ClipTargets(
                boxes_cxcywh=boxes / torch.tensor([WIDTH, HEIGHT, WIDTH, HEIGHT]),
                masks=masks,
                present=masks.flatten(2).any(dim=-1),
                referred=torch.tensor([True, False]),
            ),
            original_size=(HEIGHT, WIDTH),
        )


class NoiseData(LightningDataModule):
    """The loader of the real data modules around noise."""

    def __init__(self, batch_size: int, clips: NoiseClips) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.clips = clips

    def train_dataloader(self) -> EpochDataLoader:
        return training_loader(self.clips, self.batch_size, 0, seed=3)


def main(folder: Path, options: dict[str, Any]) -> None:
    torch.set_num_threads(1)
    seed_everything(0, verbose=False)
    description = yaml.safe_load(NANO_MODEL.read_text(encoding="utf-8"))
    # Ranks draw numbers of their own, so that steps with dropout cannot be compared.
    architecture = description["init_args"]["grounder"]["init_args"]["architecture"]
    if not options.get("dropout", False):
        architecture["backbone_config"] |= {"drop_path_rate": 0.0}
        architecture["text_config"] |= dict.fromkeys(DROPOUT_OF_BERT, 0.0)
    model = build(description)
    for part in options.get("checkpoint_activations", []):
        model.get_submodule(part).checkpoint_activations = True
    clips = NoiseClips(
        options["num_clips"],
        set(options.get("without_target", [])),
        options.get("same_targets", False),
    )
    data = NoiseData(options["batch_size"], clips)
    tracks = options.get("target_tracks", "union")
    criterion = SetCriterion(target_tracks=tracks, token_loss=TokenScoreLoss())
    policy = options.get("adaptation")
    task = ReferringSegmentationTask(
        model, criterion, None if policy is None else AdaptationPolicy(**policy)
    )
    trainer = Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        gradient_clip_val=0.1,
        **options["trainer"],
    )
    if trainer.is_global_zero:
        torch.save(task.model.state_dict(), folder / "start.pt")
    trainer.fit(task, data)
    state = {name: value.detach() for name, value in task.model.named_parameters()}
    torch.save(state, folder / f"rank_{trainer.global_rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
