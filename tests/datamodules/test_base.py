from pathlib import Path

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor

from rvos.datamodules.mevis import MeViSDataModule
from rvos.datamodules.moving_shapes import MovingShapesDataModule
from rvos.datasets.clip_sampler import ClipSampler
from rvos.datasets.errors import DatasetError
from rvos.structures.video import VideoBatch


class _Recorder(LightningModule):
    """Keeps what it is fed."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen: list[tuple[int, tuple[str, ...], float]] = []
        self.evaluated: list[str] = []

    def training_step(self, batch: VideoBatch, batch_idx: int) -> Tensor:
        frames = float(batch.frames.double().sum())
        self.seen.append((self.current_epoch, tuple(batch.sample_ids), frames))
        return self.weight * 0

    def validation_step(self, batch: VideoBatch, batch_idx: int) -> None:
        self.evaluated += batch.sample_ids

    def test_step(self, batch: VideoBatch, batch_idx: int) -> None:
        self.evaluated += batch.sample_ids

    def predict_step(self, batch: VideoBatch, batch_idx: int) -> None:
        self.evaluated += batch.sample_ids

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def _trainer(folder: Path, **options: object) -> Trainer:
    return Trainer(
        accelerator="cpu",
        default_root_dir=folder,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,  # type: ignore[arg-type]
    )


def _moving_shapes(root: Path) -> MovingShapesDataModule:
    return MovingShapesDataModule(root, batch_size=3, num_workers=0, sampler=ClipSampler(2))


@pytest.mark.filterwarnings("ignore")
def test_resumed_training_sees_what_an_unbroken_one_sees(mevis_root: Path, tmp_path: Path) -> None:
    whole = _Recorder()
    _trainer(tmp_path / "whole", max_epochs=3).fit(whole, _moving_shapes(mevis_root))
    first, second = _Recorder(), _Recorder()
    trainer = _trainer(tmp_path / "first", max_epochs=2)
    trainer.fit(first, _moving_shapes(mevis_root))
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    resumed = _trainer(tmp_path / "second", max_epochs=3)
    resumed.fit(second, _moving_shapes(mevis_root), ckpt_path=tmp_path / "last.ckpt")
    assert whole.seen == first.seen + second.seen
    epochs = [[seen[1:] for seen in whole.seen if seen[0] == epoch] for epoch in range(3)]
    assert epochs[0] != epochs[1] != epochs[2]


@pytest.mark.filterwarnings("ignore")
def test_every_stage_gets_its_split(mevis_root: Path, tmp_path: Path) -> None:
    ids = {}
    for stage in ("validate", "test", "predict"):
        recorder, data = _Recorder(), _moving_shapes(mevis_root)
        getattr(_trainer(tmp_path), stage)(recorder, data)
        ids[stage] = recorder.evaluated
        assert recorder.evaluated
        assert len({i.split("/")[0] for i in recorder.evaluated}) == 2
    assert ids["test"] == ids["predict"] != ids["validate"]


@pytest.mark.filterwarnings("ignore")
def test_fit_without_validation_split(mevis_root: Path, tmp_path: Path) -> None:
    recorder = _Recorder()
    data = MeViSDataModule(mevis_root, num_workers=0, short_side=32, validation_split=None)
    _trainer(tmp_path, max_epochs=1, limit_train_batches=1).fit(recorder, data)
    assert len(recorder.seen) == 1
    assert recorder.evaluated == []


def test_split_without_masks_cannot_be_scored(mevis_root: Path, tmp_path: Path) -> None:
    path = mevis_root / "valid" / "meta_expressions.json"
    folder = tmp_path / "blind"
    folder.mkdir()
    (folder / "JPEGImages").symlink_to(mevis_root / "valid" / "JPEGImages")
    text = path.read_text().replace('"anno_id"', '"hidden"').replace('"objects"', '"hidden"')
    (folder / "meta_expressions.json").write_text(text)
    data = MeViSDataModule(tmp_path, num_workers=0, validation_split="blind")
    with pytest.raises(DatasetError, match=r"'blind' has no masks.*predict"):
        data.setup("validate")
    data.predict_split = "blind"
    data.setup("predict")
    assert len(data.predict_dataloader()) > 0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kept", [[], [1], [2, 0]])
def test_only_what_remains_is_predicted(kept: list[int], mevis_root: Path, tmp_path: Path) -> None:
    data, recorder = MeViSDataModule(mevis_root, num_workers=0), _Recorder()
    data.setup("predict")
    dataset = data.prediction_dataset()
    assert len(dataset) > 2
    data.predict_only(kept)
    _trainer(tmp_path).predict(recorder, data, return_predictions=False)
    assert recorder.evaluated == [dataset.sample_id(index) for index in kept]
