from pathlib import Path

import pytest
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException

from rvos.checkpoints.files import CheckpointError
from rvos.cli import main as run_rvos
from rvos.datamodules.moving_shapes import MovingShapesDataModule
from rvos.datasets.errors import DatasetError
from rvos.lightning_cli import main

CONFIGS = Path(__file__).parents[1] / "configs"
NANO_MODEL = str(Path(__file__).with_name("integration") / "referdino_nano.yaml")
EXPERIMENT = str(CONFIGS / "experiment" / "referdino_tiny_moving_shapes.yaml")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should a mistake be taken for a configuration, nothing is written into the repository."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (
            "--trainer.max_step=3",
            "unknown config key 'trainer.max_step'. Did you mean 'trainer.max_steps'",
        ),
        ("--data.batchsize=3", "unknown config key 'batchsize' of rvos.datamodules"),
        ("--model.unon_threshold=3", "unknown config key 'unon_threshold' of rvos.tasks"),
    ],
)
def test_unknown_flag_is_one_line(
    option: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", "-c", EXPERIMENT, option]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("rvos: error: ")
    assert expected in line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("trainer: {max_step: 3}", "'trainer.max_step'. Did you mean 'trainer.max_steps'"),
        ("modle: {a: 1}", "'modle.a'. Did you mean 'model'"),
        ("data: {init_args: {rot: x}}", "'rot' of rvos.datamodules.MovingShapesDataModule. Did"),
        (
            "model.init_args.model.init_args.pixel_decoder.init_args.hiden_dim: 3",
            "'hiden_dim' of rvos.models.referdino.FPNPixelDecoder. Did you mean 'hidden_dim'",
        ),
        ("model: {init_args: {optimizer: {init_args: {lrr: 3}}}}", "'lrr' of torch.optim.AdamW"),
    ],
)
def test_unknown_key_in_a_file_is_named_with_near_ones(
    text: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = tmp_path / "more.yaml"
    more.write_text(text)
    assert main(["fit", "-c", EXPERIMENT, "-c", str(more)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"unknown config key {expected}" in line


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-c", "no/such.yaml"], "config: File does not exist"),
        ([], "name an experiment file"),
        (
            ["-c", EXPERIMENT, "--trainer.max_steps=many"],
            "trainer.max_steps: Expected a <class 'int'>",
        ),
        (
            ["-c", EXPERIMENT, "--model.criterion=NoSuchLoss"],
            "model.criterion: Expected a path but NoSuchLoss",
        ),
    ],
)
def test_other_mistakes_are_one_line(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--trainer.devices=0"], "trainer: `Trainer(devices='0')` value is not a valid input"),
        (["--trainer.limit_val_batches=1.5"], "invalid value 1.5 for limit_val_batches"),
        (["--trainer.strategy=ddp_foo"], "trainer: You selected an invalid strategy name"),
        pytest.param(
            ["--trainer.accelerator=gpu"],
            "No supported gpu backend found! `--trainer.accelerator auto` takes",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU"),
        ),
    ],
)
def test_what_the_trainer_refuses_is_one_line(
    options: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = "--data.init_args={root: shapes, generate: 1, batch_size: 1}"
    assert main(["fit", "-c", EXPERIMENT, f"--model.model={NANO_MODEL}", data, *options]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("rvos: error: ")
    assert expected in line


def test_what_lightning_refuses_later_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(argv: object) -> int:
        del argv
        message = "No `predict_dataloader()`\n found"
        raise MisconfigurationException(message)

    monkeypatch.setattr("rvos.lightning_cli._run", refuse)
    assert run_rvos(["predict", "-c", EXPERIMENT]) == 1
    assert capsys.readouterr().err == "rvos: error: No `predict_dataloader()` found\n"


@pytest.mark.slow
def test_a_run_without_progress_bar(capsys: pytest.CaptureFixture[str]) -> None:
    data = "--data.init_args={root: shapes, generate: 1, batch_size: 1}"
    quiet = ["--trainer.enable_progress_bar=false", "--trainer.max_steps=1"]
    assert main(["fit", "-c", EXPERIMENT, f"--model.model={NANO_MODEL}", data, *quiet]) == 0
    assert "step" not in capsys.readouterr().err


def test_broken_yaml_names_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("model: {a: [")
    assert main(["fit", "-c", str(broken)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "broken.yaml" in line


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["predict", "--shard", "8/8"], "--shard '8/8': give 0/8 to 7/8"),
        (["predict", "--shard", "one"], "--shard 'one'"),
        (["test", "--shard", "0/8"], "`rvos test` has no --shard"),
    ],
)
def test_shard_is_a_part_of_predict(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    verb, *options = arguments
    options += ["--model.init_args.model", NANO_MODEL, "--trainer.accelerator", "cpu"]
    assert main([verb, "-c", EXPERIMENT, *options]) == 2
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "expected"), [(None, "does not exist"), (b"text", "is not a checkpoint")]
)
def test_unusable_checkpoint_is_a_clear_error(
    content: bytes | None, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "some.ckpt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=expected):
        main(["fit", "-c", EXPERIMENT, "--ckpt_path", str(path)])


def test_configuration_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["fit", "-c", EXPERIMENT, "--print_config"])
    assert stop.value.code == 0
    assert "class_path: rvos.models.referdino.ReferDINO" in capsys.readouterr().out


def test_error_of_a_constructor_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        message = "the data are on the moon: fetch them"
        raise DatasetError(message)

    monkeypatch.setattr(MovingShapesDataModule, "__setattr__", refuse)
    assert run_rvos(["validate", "-c", EXPERIMENT, "--model.init_args.model", NANO_MODEL]) == 1
    assert capsys.readouterr().err == "rvos: error: the data are on the moon: fetch them\n"


@pytest.mark.parametrize("sampler", ["EvenClipSampler", "ClipSampler"])
def test_what_a_class_of_a_choice_refuses_is_one_line(
    sampler: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The parser reports the first class of the choice with its error, the second as text alone.
    more = tmp_path / "more.yaml"
    path = f"rvos.datasets.clip_sampler.{sampler}"
    more.write_text(
        f"data: {{init_args: {{sampler: {{class_path: {path}, init_args: {{num_frames: 0}}}}}}}}"
    )
    command = ["fit", "-c", EXPERIMENT, "-c", str(more), "--model.init_args.model", NANO_MODEL]
    assert run_rvos([*command, "--trainer.accelerator", "cpu"]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert line.startswith("rvos: error: need num_frames")
    assert "got 0, " in line


def test_clip_without_frames_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = str(CONFIGS / "experiment" / "referdino_tiny_ref_davis17.yaml")
    options = ["--model.init_args.model", NANO_MODEL, "--data.num_frames", "0"]
    root = ["--data.root", str(tmp_path), "--trainer.accelerator", "cpu"]
    assert run_rvos(["fit", "-c", experiment, *options, *root]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert [line for line in errors if line.startswith("rvos: error")] == [
        "rvos: error: need num_frames, local_radius >= 1, got 0, 3"
    ]
    assert not any("Traceback" in line for line in errors)
