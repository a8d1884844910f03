from collections import Counter
from pathlib import Path

import pytest

from rvos.datamodules.base import ReferringVideoDataModule
from rvos.datamodules.joint import JointDataModule
from rvos.datamodules.mevis import MeViSDataModule
from rvos.datamodules.moving_shapes import MovingShapesDataModule
from rvos.datamodules.ref_youtube_vos import RefYouTubeVOSDataModule
from rvos.datamodules.refcoco import RefCOCODataModule
from rvos.datasets.clip_sampler import ClipSampler
from rvos.datasets.errors import DatasetError


@pytest.fixture
def parts(
    mevis_root: Path, ref_youtube_vos_root: Path, refcoco_root: Path
) -> dict[str, ReferringVideoDataModule]:
    """Images and two kinds of video, all small."""
    return {
        "images": RefCOCODataModule(
            refcoco_root, num_frames=2, augmentation="moving_shapes", sets=["refcoco"]
        ),
        "youtube": RefYouTubeVOSDataModule(
            ref_youtube_vos_root, num_frames=2, augmentation="moving_shapes"
        ),
        "mevis": MeViSDataModule(mevis_root, num_frames=2, augmentation="moving_shapes"),
    }


def test_every_sample_once_without_weights(parts: dict[str, ReferringVideoDataModule]) -> None:
    data = JointDataModule(parts, batch_size=2, num_workers=0)
    data.setup("fit")
    ids = [sample_id for batch in data.train_dataloader() for sample_id in batch.sample_ids]
    lengths = {name: len(part.training_dataset()) for name, part in parts.items()}
    counts = Counter(sample_id.split("/")[0] for sample_id in ids)
    assert len(set(ids)) == len(ids) >= sum(lengths.values()) - 1
    assert all(lengths[name] - counts[name] <= 1 for name in lengths)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_shares_hold_with_any_number_of_workers(
    parts: dict[str, ReferringVideoDataModule],
) -> None:
    epochs = []
    for num_workers in (0, 2):
        weights = {"images": 1.0, "youtube": 2.0, "mevis": 1.0}
        data = JointDataModule(parts, weights, 12, batch_size=3, num_workers=num_workers)
        data.setup("fit")
        loader = data.train_dataloader()
        batches = []
        for epoch in range(2):
            loader.sampler.set_epoch(epoch)  # type: ignore[union-attr]
            batches += [(batch.sample_ids, float(batch.frames.sum())) for batch in loader]
        epochs.append(batches)
    assert epochs[0] == epochs[1]
    for half in (epochs[0][:4], epochs[0][4:]):
        counts = Counter(name.split("/")[0] for ids, _ in half for name in ids)
        assert counts == {"images": 3, "youtube": 6, "mevis": 3}
    assert epochs[0][:4] != epochs[0][4:]


def test_one_part_is_evaluated_under_its_own_names(
    parts: dict[str, ReferringVideoDataModule],
) -> None:
    data = JointDataModule(parts, num_workers=0)
    assert (data.validation_split, data.test_split, data.predict_split) == (
        "valid_u",
        "valid_u",
        "valid",
    )
    data.setup("validate")
    expected = parts["mevis"].evaluation_dataset("valid_u")
    batch = next(iter(data.val_dataloader()))
    assert batch.sample_ids == [expected.sample_id(0)]
    chosen = JointDataModule(parts, evaluate="images")
    assert chosen.test_split == "val"


def test_parts_can_write_themselves(tmp_path: Path) -> None:
    part = MovingShapesDataModule(tmp_path / "data", generate=1, sampler=ClipSampler(2))
    data = JointDataModule({"shapes": part}, num_workers=0)
    data.prepare_data()
    data.setup("fit")
    assert len(data.training_dataset()) > 0


def test_parts_that_do_not_fit(parts: dict[str, ReferringVideoDataModule], tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no part 'davis' to evaluate; the parts are images"):
        JointDataModule(parts, evaluate="davis")
    longer = parts | {"mevis": MeViSDataModule(tmp_path, num_frames=6)}
    longer |= {"shapes": MovingShapesDataModule(tmp_path, sampler=ClipSampler(2))}
    with pytest.raises(DatasetError, match="images 2, youtube 2, mevis 6, shapes 2"):
        JointDataModule(longer)
    with pytest.raises(DatasetError, match="weights are given for mevis"):
        JointDataModule(parts, {"mevis": 1.0}).setup("fit")
