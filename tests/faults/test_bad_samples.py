"""Damaged frames and masks in the middle of an epoch: stop by name, or skip and count."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from broken_runs import command
from lightning.pytorch.trainer import Trainer

from rvos.cli import main
from rvos.datamodules.mevis import MeViSDataModule

Damage = Callable[[Path], str]


def _truncated_frame(root: Path) -> str:
    path = sorted((root / "train" / "JPEGImages").glob("*/*.jpg"))[1]
    path.write_bytes(path.read_bytes()[:300])
    return f"{path} cannot be decoded"


def _missing_frame(root: Path) -> str:
    path = sorted((root / "train" / "JPEGImages").glob("*/*.jpg"))[1]
    path.unlink()
    return f"{path} is missing although the annotations list it"


def _mask_of_another_size(root: Path) -> str:
    path = root / "train" / "mask_dict.json"
    masks = json.loads(path.read_text())
    for annotation in masks.values():
        for mask in annotation:
            if mask is not None:
                mask["size"] = [mask["size"][1], mask["size"][0]]
    path.write_text(json.dumps(masks))
    return "but its frame is"


DAMAGES = [_truncated_frame, _missing_frame]


@pytest.fixture
def root(shapes: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    return Path(shutil.copytree(shapes, tmp_path / "damaged"))


def _fit(root: Path, *more: str) -> int:
    words = command("fit", root, "--trainer.limit_train_batches", "12", *more)[3:]
    return main(words)


def _error(err: str) -> str:
    assert "Traceback" not in err, err
    (line,) = [line for line in err.splitlines() if line.startswith("rvos: error: ")]
    return line


@pytest.mark.slow
@pytest.mark.parametrize("num_workers", ["0", "1"])
@pytest.mark.parametrize("damage", [*DAMAGES, _mask_of_another_size])
def test_stop_names_sample_and_remedy(
    damage: Damage,
    num_workers: str,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = damage(root)
    assert _fit(root, "--data.num_workers", num_workers) == 1
    line = _error(capsys.readouterr().err)
    assert line.startswith("rvos: error: sample ")
    assert expected in line
    assert line.endswith("; --data.on_bad_sample skip goes without")


def test_skip_counts_and_goes_on(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = _truncated_frame(root)
    assert _fit(root, "--data.on_bad_sample", "skip") == 0
    streams = capsys.readouterr()
    told = [line for line in streams.err.splitlines() if line.startswith("bad sample ")]
    assert told
    assert all(expected in line for line in told)
    assert f"epoch 0: {len(told)} samples were damaged, and others stood for them" in streams.out


@pytest.mark.slow
def test_skip_stops_at_the_limit(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    _truncated_frame(root)
    assert _fit(root, "--data.on_bad_sample", "skip", "--data.max_bad_samples", "0") == 1
    line = _error(capsys.readouterr().err)
    assert "more than 0 bad samples in an epoch, the last " in line
    assert "--data.max_bad_samples allows more" in line


def test_an_evaluation_stops_whatever_the_policy(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    path = next((root / "valid_u" / "JPEGImages").glob("*/*.jpg"))
    path.write_bytes(path.read_bytes()[:300])
    assert main(command("test", root, "--data.on_bad_sample", "skip")[3:]) == 1
    line = _error(capsys.readouterr().err)
    assert line.startswith("rvos: error: sample ")
    assert f"{path} cannot be decoded" in line
    assert "on_bad_sample" not in line


def _batches(root: Path, num_workers: int) -> list[tuple[list[str], list[str], float]]:
    data = MeViSDataModule(root, 2, num_workers, num_frames=2, short_side=64, on_bad_sample="skip")
    data.setup("fit")
    data.trainer = Trainer(logger=False, enable_checkpointing=False, accelerator="cpu")
    return [
        (
            batch.sample_ids,
            [bad.sample_id for bad in batch.bad_samples],
            float(batch.frames.double().sum()),
        )
        for batch in data.train_dataloader()
    ]


def test_what_stands_for_a_sample_does_not_depend_on_the_workers(root: Path) -> None:
    whole = _batches(root, 0)
    _missing_frame(root)
    batches = _batches(root, 0)
    assert len(batches) == len(whole)
    assert any(bad for _, bad, _ in batches)
    assert batches == _batches(root, 2)
    for (ids, _, total), (before, _, total_before) in zip(batches, whole, strict=True):
        assert len(ids) == len(before)
        assert (ids == before) == (total == total_before)
