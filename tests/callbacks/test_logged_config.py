from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonargparse import Namespace
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.cli import LightningArgumentParser
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.data import DataLoader

from rvos.callbacks import LoggedConfig


def test_configuration_is_saved_and_shown(
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Lightning calls jsonargparse by names that version 5 removes.
    monkeypatch.setenv("JSONARGPARSE_DEPRECATION_WARNINGS", "off")
    parser = LightningArgumentParser()
    parser.add_argument("--speed", type=int, default=1)
    callback = LoggedConfig(parser, Namespace(speed=7))
    make_trainer([callback], max_steps=1).fit(square_task, clips)
    run = tmp_path / "run" / "only"
    assert "speed: 7" in (run / "config.yaml").read_text()
    events = EventAccumulator(str(run))
    events.Reload()
    (event,) = events.Tensors("config/text_summary")
    assert b"speed: 7" in event.tensor_proto.string_val[0]
