from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
import torch
import yaml
from lightning.pytorch import LightningModule, Trainer

import rvos
from rvos.callbacks import ModelFolderWriter
from rvos.layers.described import build
from rvos.models.adaptation import AdaptationPolicy
from rvos.storage import StorageError
from rvos.tasks.tokenizers import open_tokenizer

if TYPE_CHECKING:
    from rvos.models.referdino import ReferDINO

NANO_MODEL = Path(__file__).parents[1] / "integration" / "referdino_nano.yaml"


class Holder(LightningModule):
    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model


@pytest.fixture
def trained() -> Holder:
    """A model whose adapters are no longer zero."""
    nano_model: ReferDINO = build(yaml.safe_load(NANO_MODEL.read_text()))
    nano_model.tokenizer = open_tokenizer("moving_shapes", nano_model.tokenizer.max_tokens)
    AdaptationPolicy(rank=4).apply(nano_model)
    for name, parameter in nano_model.named_parameters():
        if ".lora_B." in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return Holder(nano_model)


def trainer_in(folder: Path, **attributes: bool) -> Mock:
    defaults = {"is_global_zero": True, "fast_dev_run": False}
    return Mock(spec=Trainer, log_dir=str(folder), **(defaults | attributes))


def test_folder_gives_the_same_masks_without_adapters(trained: Holder, tmp_path: Path) -> None:
    ModelFolderWriter().on_fit_end(trainer_in(tmp_path), trained)
    loaded = rvos.load_model(tmp_path / "model")
    assert not any("lora" in name for name, _ in loaded.named_parameters())
    frames = torch.randn(1, 2, 3, 64, 96)
    trained.model.eval()
    with torch.no_grad():
        expected = trained.model(frames, ["the red circle"])
        actual = loaded(frames, ["the red circle"])
    torch.testing.assert_close(actual.pred_masks, expected.pred_masks, atol=1e-4, rtol=1e-4)


def test_half_precision_halves_the_file(trained: Holder, tmp_path: Path) -> None:
    for dtype in ("float32", "float16"):
        writer = ModelFolderWriter(str(tmp_path / dtype), dtype)
        writer.on_fit_end(trainer_in(tmp_path), trained)
    half, full = (
        (tmp_path / name / "model.safetensors").stat().st_size for name in ("float16", "float32")
    )
    assert half < 0.6 * full


@pytest.mark.parametrize("attributes", [{"is_global_zero": False}, {"fast_dev_run": True}])
def test_other_ranks_and_rehearsals_write_nothing(
    trained: Holder, tmp_path: Path, attributes: dict[str, bool]
) -> None:
    ModelFolderWriter().on_fit_end(trainer_in(tmp_path, **attributes), trained)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_told_before_the_training(
    trained: Holder, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    writer = ModelFolderWriter(str(tmp_path / "file" / "model"))
    with pytest.raises(StorageError, match="file cannot be written"):
        writer.setup(trainer_in(tmp_path), trained, "fit")


def test_every_process_asks_for_the_folder(trained: Holder, tmp_path: Path) -> None:
    """The trainer broadcasts the answer: a process that did not ask would hang the others."""
    asked = []

    class Recording(Trainer):
        log_dir = property(lambda self: asked.append(1) or str(tmp_path))  # type: ignore[assignment]
        is_global_zero = property(lambda self: False)  # type: ignore[assignment]

    ModelFolderWriter().on_fit_end(Recording(logger=False, enable_checkpointing=False), trained)
    assert asked
