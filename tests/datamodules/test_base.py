import itertools
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
    dataset = data.dataset_of("predict")
    assert len(dataset) > 2
    assert data.evaluate_only("predict", kept) == kept
    _trainer(tmp_path).predict(recorder, data, return_predictions=False)
    assert recorder.evaluated == [dataset.sample_id(index) for index in kept]


class _Rank:
    """What a datamodule asks of the trainer of one of several processes."""

    def __init__(self, rank: int, num_replicas: int) -> None:
        self.distributed_sampler_kwargs = {"num_replicas": num_replicas, "rank": rank}


def _of_all_ranks(root: Path, stage: str, num_ranks: int) -> list[list[str]]:
    found = []
    for rank in range(num_ranks):
        data = MeViSDataModule(root, num_workers=0, short_side=32)
        data.trainer = _Rank(rank, num_ranks)  # type: ignore[assignment]
        data.setup(stage)
        loaders = {"validate": data.val_dataloader, "test": data.test_dataloader}
        loader = loaders.get(stage, data.predict_dataloader)()
        found.append([batch.sample_ids[0] for batch in loader])  # type: ignore[union-attr]
    return found


@pytest.mark.parametrize("stage", ["validate", "test", "predict"])
@pytest.mark.parametrize("num_ranks", [1, 2])
def test_processes_divide_the_videos(num_ranks: int, stage: str, mevis_root: Path) -> None:
    (whole,) = _of_all_ranks(mevis_root, stage, 1)
    parts = _of_all_ranks(mevis_root, stage, num_ranks)
    assert sorted(itertools.chain(*parts)) == sorted(whole)
    videos = [{sample_id.split("/")[0] for sample_id in part} for part in parts]
    assert all(videos)
    assert sum(map(len, videos)) == len(set.union(*videos)) == 2


@pytest.mark.parametrize("stage", ["validate", "test", "predict"])
def test_a_process_without_a_video_repeats_a_sample_where_it_must(
    stage: str, mevis_root: Path
) -> None:
    # Two videos, three processes.
    (whole,) = _of_all_ranks(mevis_root, stage, 1)
    *parts, idle = _of_all_ranks(mevis_root, stage, 3)
    assert sorted(itertools.chain(*parts)) == sorted(whole)
    if stage == "predict":
        assert idle == []
    else:
        assert len(idle) == 1
        assert set(idle) < set(whole)


@pytest.mark.parametrize("num_ranks", [1, 2, 3])
def test_what_remains_is_divided_too(num_ranks: int, mevis_root: Path) -> None:
    mine = []
    for rank in range(num_ranks):
        data = MeViSDataModule(mevis_root, num_workers=0)
        data.trainer = _Rank(rank, num_ranks)  # type: ignore[assignment]
        data.setup("test")
        remaining = list(range(1, len(data.dataset_of("test"))))
        mine.append(data.evaluate_only("test", remaining))
    assert sorted(itertools.chain(*mine)) == remaining
