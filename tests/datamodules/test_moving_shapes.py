from pathlib import Path

import pytest

from rvos.datamodules.moving_shapes import MovingShapesDataModule, write_missing_splits
from rvos.datasets.clip_sampler import ClipSampler
from rvos.datasets.errors import DatasetNotFoundError
from rvos.datasets.moving_shapes.writer import write_moving_shapes


def test_clips_keep_their_size_and_list_every_object(mevis_root: Path) -> None:
    data = MovingShapesDataModule(mevis_root, batch_size=4, num_workers=0, sampler=ClipSampler(3))
    data.setup("fit")
    batch = next(iter(data.train_dataloader()))
    assert batch.frames.shape == (4, 3, 3, 128, 192)
    assert set(batch.expression_kinds) <= {
        "appearance", "relation", "motion", "direction", "several", "none"
    }  # fmt: skip
    for target in batch.targets:
        assert len(target.referred) >= 2
        assert target.present.any()


def test_kinds_and_single_frames(mevis_root: Path) -> None:
    kinds = ["appearance", "several"]
    data = MovingShapesDataModule(mevis_root, num_workers=0, sampler=ClipSampler(1), kinds=kinds)  # type: ignore[arg-type]
    data.setup("fit")
    dataset = data.training_dataset()
    assert {e.kind for video in dataset.videos for e in video.expressions} <= set(kinds)
    assert dataset[0].frames.shape[0] == 1


def test_both_layouts_hold_the_same_videos(mevis_root: Path, ref_youtube_vos_root: Path) -> None:
    first = MovingShapesDataModule(mevis_root).evaluation_dataset("train")
    second = MovingShapesDataModule(ref_youtube_vos_root, layout="ref_youtube_vos")
    by_text = {(s.video_id, s.expression): s for s in first}
    compared = 0
    for sample in second.evaluation_dataset("train"):
        twin = by_text[sample.video_id, sample.expression]
        assert bool((twin.frames == sample.frames).all())
        assert bool((twin.targets.masks == sample.targets.masks).all())
        compared += 1
    assert compared > 3


def test_missing_data_are_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "data"
    with pytest.raises(DatasetNotFoundError):
        MovingShapesDataModule(root).setup("fit")
    data = MovingShapesDataModule(root, generate=2)
    data.prepare_data()
    calls: list[str] = []

    def counted(*args: object, split: str, **options: object) -> Path:
        calls.append(split)
        return write_moving_shapes(*args, split=split, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("rvos.datamodules.moving_shapes.write_moving_shapes", counted)
    data.prepare_data()
    assert calls == []
    data.setup("fit")
    data.setup("test")
    assert len(data.training_dataset().videos) == 2
    write_missing_splits(root, "mevis", ("train", "valid"), 1, seed=0)
    (root / "valid_u" / "meta_expressions.json").unlink()  # as an interrupted writing leaves it
    data.prepare_data()
    assert calls == ["valid"]
