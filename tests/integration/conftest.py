import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from rvos.cli import main
from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.vocabulary import (
    BENCHMARK_LAYOUTS,
    LAYOUTS,
    BenchmarkLayout,
    Layout,
)
from rvos.datasets.moving_shapes.writer import FOLDER_OF_SPLIT, write_moving_shapes

REPOSITORY = Path(__file__).parents[2]
NANO_MODEL = Path(__file__).with_name("referdino_nano.yaml")

RunVerb = Callable[..., int]


@pytest.fixture(scope="session")
def moving_shapes(tmp_path_factory: pytest.TempPathFactory) -> dict[Layout, Path]:
    """Videos of four frames in every layout."""
    short = dataclasses.replace(HELD_OUT, name="short", num_frames=4)
    roots = {layout: tmp_path_factory.mktemp(layout) for layout in LAYOUTS}
    for layout, root in roots.items():
        for split in ("train", "valid", "test"):
            write_moving_shapes(
                root, layout=layout, split=split, num_videos=2, preset=short, progress=False
            )
    # The split whose masks MeViS keeps back, which `predict` reads.
    write_moving_shapes(
        roots["mevis"], split="test", num_videos=2, preset=short, progress=False, folder="valid"
    )
    return roots


@pytest.fixture(scope="session")
def shapes_of_every_benchmark(
    moving_shapes: dict[Layout, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[BenchmarkLayout, Path]:
    """Videos of four frames in the layouts of all benchmarks."""
    short = dataclasses.replace(HELD_OUT, name="short", num_frames=4)
    roots: dict[BenchmarkLayout, Path] = {**moving_shapes}
    for layout in BENCHMARK_LAYOUTS:
        if layout not in roots:
            roots[layout] = tmp_path_factory.mktemp(layout)
            for split in FOLDER_OF_SPLIT[layout]:
                write_moving_shapes(
                    roots[layout], layout, split=split, num_videos=2, preset=short, progress=False
                )
    return roots


@pytest.fixture
def run_verb(
    moving_shapes: dict[Layout, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> RunVerb:
    """Run a verb of an experiment with the smallest model, on videos of its layout."""
    monkeypatch.chdir(tmp_path)
    # Layouts that MovingShapes is not written in, and the fixture that provides each.
    others = {"ref_davis17": "ref_davis17_root", "a2d_sentences": "a2d_sentences_root"}

    def run(verb: str, experiment: str, *more: str) -> int:
        path = REPOSITORY / "configs" / "experiment" / f"{experiment}.yaml"
        layout: Layout = "ref_youtube_vos" if "ref_youtube_vos" in experiment else "mevis"
        root = moving_shapes[layout]
        for benchmark, fixture in others.items():
            if benchmark in experiment:
                root = request.getfixturevalue(fixture)
        options = {
            "model.init_args.model": str(NANO_MODEL),
            "data.root": str(root),
            "data.batch_size": "1",
            "data.num_workers": "0",
            "trainer.accelerator": "cpu",
            "trainer.max_epochs": "1",
            "trainer.log_every_n_steps": "1",
            "trainer.limit_train_batches": "2",
            "trainer.val_check_interval": "2",
            "trainer.limit_val_batches": "1",
            "trainer.limit_test_batches": "1",
            "trainer.limit_predict_batches": "1",
        }
        if layout == "ref_youtube_vos":
            options["data.validation_split"] = "valid"
        if experiment.endswith("moving_shapes"):
            sampler = "rvos.datasets.clip_sampler.EvenClipSampler"
            options |= {"data.sampler": sampler, "data.sampler.num_frames": "2"}
        elif "ReferringSegmentationTask" in path.read_text():
            options["data.num_frames"] = "2"
        flags = [word for name, value in options.items() for word in (f"--{name}", value)]
        return main([verb, "-c", str(path), *flags, *more])

    return run
