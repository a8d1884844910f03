from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer

from rvos.callbacks.prediction_files import PredictionWriteError
from rvos.callbacks.prediction_origin import PredictionOrigin, check_origin
from rvos.inference.selection import NoTargetDecision, TopOne


def _origin(task: LightningModule, **options: Any) -> PredictionOrigin:
    trainer = Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, **options)
    return PredictionOrigin.of(task, trainer)


def test_the_same_task_has_the_same_origin_after_a_round_trip(
    square_task: LightningModule, tmp_path: Path
) -> None:
    origin = _origin(square_task)
    folder = tmp_path / "pred"
    assert PredictionOrigin.read(folder) is None
    origin.write(folder)
    assert [path.name for path in folder.iterdir()] == [".origin.json"]
    assert PredictionOrigin.read(folder) == origin == _origin(square_task)
    check_origin(PredictionOrigin.read(folder), origin, folder)


def test_what_differs_is_named(square_task: Any, tmp_path: Path) -> None:
    square_task.selection = TopOne()
    first = _origin(square_task)
    square_task.selection = NoTargetDecision(0.3)
    assert first.difference(_origin(square_task)) == "selection"
    assert first.difference(_origin(square_task, precision="bf16-mixed")) == "selection, precision"
    square_task.selection = TopOne()
    with torch.no_grad():
        square_task.model.weight += 1e-7
    assert first.difference(_origin(square_task)) == "weights"
    with pytest.raises(PredictionWriteError, match=r"something else \(weights\); name another"):
        check_origin(first, _origin(square_task), tmp_path)


def test_predictions_of_unknown_origin_are_not_added_to(
    square_task: LightningModule, tmp_path: Path
) -> None:
    with pytest.raises(PredictionWriteError, match="origin unknown"):
        check_origin(None, _origin(square_task), tmp_path)


@pytest.mark.parametrize("content", ["{", "[1]", '{"weights": 1}'])
def test_a_damaged_note_is_a_clear_error(content: str, tmp_path: Path) -> None:
    (tmp_path / ".origin.json").write_text(content)
    with pytest.raises(PredictionWriteError, match="is damaged; name another folder"):
        PredictionOrigin.read(tmp_path)
