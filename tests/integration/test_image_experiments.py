"""RefCOCO, mixtures with it and mixtures of videos, through the real command line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rvos.cli import main
from rvos.datasets.moving_shapes.vocabulary import Layout

REPOSITORY = Path(__file__).parents[2]
CONFIGS = REPOSITORY / "configs" / "experiment"
KINDS = ("refcoco", "joint_refcoco_ref_youtube_vos", "joint_ref_youtube_vos_mevis")
# The backbone is replaced, so that files which differ in nothing else are slow repetitions.
EXPERIMENTS = [
    pytest.param(f"referdino_{model}_{kind}", marks=pytest.mark.slow if model != "tiny" else ())
    for kind in KINDS
    for model in ("tiny", "swin_tiny", "swin_base")
]

RunVerb = Callable[..., int]


@pytest.fixture
def run(
    moving_shapes: dict[Layout, Path],
    refcoco_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> RunVerb:
    """Run a verb of an experiment with the smallest model, on two batches of small data."""
    monkeypatch.chdir(tmp_path)
    roots = {
        "refcoco": refcoco_root,
        "ref_youtube_vos": moving_shapes["ref_youtube_vos"],
        "mevis": moving_shapes["mevis"],
    }

    def run(verb: str, experiment: str, *more: str) -> int:
        options = {
            "model.init_args.model": str(REPOSITORY / "tests/integration/referdino_nano.yaml"),
            "data.batch_size": "1",
            "data.num_workers": "0",
            "trainer.accelerator": "cpu",
            "trainer.max_epochs": "1",
            "trainer.log_every_n_steps": "1",
            "trainer.limit_train_batches": "2",
            "trainer.limit_val_batches": "2",
            "trainer.limit_test_batches": "1",
            "trainer.limit_predict_batches": "1",
        }
        if "joint" in experiment:
            for name, root in roots.items():
                if name in experiment:
                    options[f"data.parts.{name}.init_args.root"] = str(root)
                    options[f"data.parts.{name}.init_args.num_frames"] = "2"
            if "joint_refcoco" in experiment:
                options["data.parts.ref_youtube_vos.init_args.validation_split"] = "valid"
        else:
            options["data.root"] = str(refcoco_root)
        flags = [word for name, value in options.items() for word in (f"--{name}", value)]
        return main([verb, "-c", str(CONFIGS / f"{experiment}.yaml"), *flags, *more])

    return run


def _scalars(run: Path) -> set[str]:
    events = EventAccumulator(str(run))
    events.Reload()
    return set(events.Tags()["scalars"])


def test_every_experiment_is_tested() -> None:
    files = {path.stem for path in CONFIGS.glob("*.yaml")}
    tested = {str(experiment.values[0]) for experiment in EXPERIMENTS}
    assert tested == {name for name in files if "refcoco" in name or "joint" in name}


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_experiment_fits_and_validates(
    experiment: str, run: RunVerb, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("fit", experiment) == 0
    folder = tmp_path / "runs" / experiment / "version_0"
    assert (folder / "checkpoints" / "last.ckpt").is_file()
    on_images = "joint" not in experiment
    headline = {"val/RIS overall IoU", "val/REC P@0.5"} if on_images else {"val/J&F"}
    assert {"train/loss", *headline} <= _scalars(folder)
    capsys.readouterr()
    assert run("validate", experiment, "--ckpt_path", "last") == 0
    assert ("REC mean IoU" if on_images else "all ") in capsys.readouterr().out


def test_images_are_scored_per_set_and_predicted(
    run: RunVerb, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = "referdino_tiny_refcoco"
    every_image = ["--trainer.limit_test_batches", "1.0", "--data.max_images", "1"]
    assert run("test", experiment, *every_image) == 0
    table = capsys.readouterr().out
    assert [name for name in ("refcoco ", "refcoco+ ", "refcocog ") if name not in table] == []
    writer = ["--trainer.callbacks+", "rvos.callbacks.PredictionWriter"]
    folder = ["--trainer.callbacks.folder", str(tmp_path / "masks")]
    sets = ["--data.sets", "[refcoco]", "--data.test_split", "testA"]
    assert run("predict", experiment, *writer, *folder, *sets) == 0
    (picture,) = (tmp_path / "masks").rglob("*.png")
    name = picture.stem
    assert picture.parent == tmp_path / "masks" / "refcoco" / name / "1"
    image = tmp_path / "benchmarks/coco/expected_converted/train2014" / f"{name}.jpg"
    assert Image.open(picture).size == Image.open(image).size


def test_a_mistake_in_a_part_is_one_line(
    run: RunVerb, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = ["--data.parts.mevis.init_args.root", str(tmp_path / "nothing")]
    assert run("fit", "referdino_tiny_joint_ref_youtube_vos_mevis", *missing) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("rvos: error: ")
    assert "nothing" in line
    longer = ["--data.parts.mevis.init_args.num_frames", "3"]
    assert run("fit", "referdino_tiny_joint_ref_youtube_vos_mevis", *longer) == 1
    assert "give all parts one num_frames" in capsys.readouterr().err
