"""The worked example of docs/own_data.md: its data, its commands, with the smallest model."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from rvos.cli import main

REPOSITORY = Path(__file__).parents[2]
DOCUMENT = (REPOSITORY / "docs" / "own_data.md").read_text(encoding="utf-8")
NANO_MODEL = REPOSITORY / "tests" / "integration" / "referdino_nano.yaml"
COMMANDS = [shlex.split(line) for line in re.findall(r"^rvos (.*)$", DOCUMENT, re.M)]
SMALL = {
    "model.init_args.model": str(NANO_MODEL),
    "model.init_args.tokenizer": "moving_shapes",
    "data.init_args.num_workers": "0",
    "data.init_args.num_frames": "2",
    "data.init_args.short_side": "64",
    "trainer.accelerator": "cpu",
    "trainer.precision": "32-true",
    "trainer.max_epochs": "1",
    "trainer.limit_train_batches": "2",
    "trainer.log_every_n_steps": "1",
}


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run the page's Python where the commands will run."""
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.M | re.S))
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    (tmp_path / "configs").symlink_to(REPOSITORY / "configs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(words: list[str]) -> int:
    flags = [word for name, value in SMALL.items() for word in (f"--{name}", value)]
    return main([*words, *flags])


def test_the_commands_of_the_page_run(
    example: Path, nano_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (example / "WEIGHTS").symlink_to(nano_weights)
    fine_tune, tiny, *scoring = COMMANDS
    assert _run(fine_tune) == 0
    out = capsys.readouterr().out
    assert re.search(r"WEIGHTS: [1-9]\d+ tensors loaded", out)
    (run,) = (example / "runs").glob("*_video_folder/version_0")
    assert (run / "checkpoints" / "best.ckpt").is_file()
    assert "tiny" in tiny
    assert [words[0] for words in scoring] == ["test", "predict"]
    for words in scoring:
        assert _run(words) == 0
    out = capsys.readouterr().out
    assert "several" in out
    assert "position" in out
    for version in (1, 2):  # `test` writes what it scores, as `predict` does
        folder = next((example / "runs").glob(f"*_video_folder/version_{version}"))
        pictures = list(folder.rglob("fast/*/*.png"))
        assert len(pictures) == 3 * 8
    assert Image.open(pictures[0]).size == (128, 96)


@pytest.mark.slow
def test_the_small_model_learns_from_the_page(example: Path) -> None:
    words = [*COMMANDS[1], "--trainer.limit_train_batches", "2", "--trainer.max_epochs", "1"]
    assert main([*words, "--data.init_args.num_workers", "0", "--trainer.accelerator", "cpu"]) == 0
    assert list((example / "runs").rglob("best.ckpt"))


@pytest.mark.slow
@pytest.mark.parametrize("experiment", ["swin_base", "tiny"])
def test_the_other_experiment_files_run(example: Path, experiment: str) -> None:
    path = f"configs/experiment/referdino_{experiment}_video_folder.yaml"
    assert _run(["fit", "-c", path, "--data.init_args.root", "my_videos"]) == 0
