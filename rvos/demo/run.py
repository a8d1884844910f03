"""The demo, step by step."""

import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import rvos
from rvos.datasets.moving_shapes.preset import HELD_OUT_SEED
from rvos.datasets.moving_shapes.writer import write_moving_shapes
from rvos.demo.fitting import fit
from rvos.demo.folder import DemoFolder
from rvos.demo.pictures import open_shown_video, segment, write_pictures
from rvos.demo.scoring import open_test_videos, score_once
from rvos.demo.settings import DemoSettings
from rvos.evaluation.expression_table import comparison_rows, format_table
from rvos.evaluation.frame_by_frame import FrameByFrame
from rvos.inference.predictor import Predictor
from rvos.metrics import JAndFResult

_NUM_STEPS = 6


@dataclass
class DemoResult:
    """What the demo measured.

    Attributes:
        before: Scores of the image-stage weights, every frame by itself.
        after: Scores of the fitted model.
    """

    before: JAndFResult
    after: JAndFResult


def run_demo(settings: DemoSettings, output: Path) -> DemoResult:
    """Write videos, score, fit, score again, segment a video; every step goes on where it stopped.

    Args:
        settings: What to learn.
        output: Folder of everything that the demo makes.

    Returns:
        The scores before and after.

    Raises:
        RvosError: The folder holds something else, or the weights cannot be used.
        KeyboardInterrupt: Ctrl-C; the same call goes on where this one stopped.
    """
    start = time.monotonic()
    folder = DemoFolder(output)
    folder.claim(settings)
    write_videos(settings, folder)
    _announce(2, f"load the image-stage weights {settings.weights}")
    image_stage = FrameByFrame(rvos.load_model(settings.weights)).eval()
    _announce(3, "score before: temporal enhancer off, every frame by itself")
    before = score_once("before", image_stage, settings, folder)
    fit_once(settings, folder)
    _announce(5, "score after: the same videos")
    fitted = rvos.load_model(folder.model)
    after = score_once("after", fitted, settings, folder)
    shown = open_shown_video(open_test_videos(settings, folder, (settings.shown_kind,)))
    _announce(6, f"segment {shown.frames_folder} with {shown.expression!r}")
    segmented_before = segment(shown, Predictor(image_stage, settings.selection))
    segmented_after = segment(shown, Predictor(fitted, settings.selection))
    write_pictures(shown, segmented_before, segmented_after, folder)
    _say(f"\n{format_table(comparison_rows({'before': before, 'after': after}))}\n")
    _say(closing_words(settings, folder, shown.frames_folder, start))
    return DemoResult(before, after)


def write_videos(settings: DemoSettings, folder: DemoFolder) -> None:
    """Write the videos that are missing.

    Args:
        settings: How many.
        folder: Gets them.
    """
    _announce(
        1,
        f"write {settings.num_training_videos} videos to learn from and {settings.num_test_videos} "
        "held-out ones",
    )
    write_moving_shapes(folder.data, num_videos=settings.num_training_videos, seed=settings.seed)
    # Whatever the seed, these are the first videos that every score of this project is taken on.
    write_moving_shapes(
        folder.data, split="test", num_videos=settings.num_test_videos, seed=HELD_OUT_SEED
    )


def fit_once(settings: DemoSettings, folder: DemoFolder) -> None:
    """Fit, unless an earlier run has.

    Args:
        settings: What to learn.
        folder: Gets the fitted model.
    """
    title = f"fit {settings.num_steps} steps of {settings.batch_size} clips"
    if folder.fitted:
        _announce(4, f"{title}: done by an earlier run")
        return
    resumed = " (going on from the last checkpoint)" if folder.checkpoint.exists() else ""
    _announce(4, f"{title}{resumed}; watch: tensorboard --logdir {folder.tensorboard}")
    fit(settings, folder)


def closing_words(settings: DemoSettings, folder: DemoFolder, video: Path, start: float) -> str:
    """Say what the table compares, where everything is, and what it cost.

    Args:
        settings: What was learned.
        folder: Where it is.
        video: The frames that were segmented.
        start: When it began, of ``time.monotonic``.

    Returns:
        Several lines.
    """
    minutes, seconds = divmod(round(time.monotonic() - start), 60)
    return (
        f"before: {settings.weights}, every frame by itself; "
        f"after: {settings.num_steps} steps with the temporal enhancer\n"
        f"overlay video  {folder.overlay}\n"
        f"picture strip  {folder.strip}\n"
        f"TensorBoard    {folder.tensorboard}\n"
        f"fitted model   {folder.model}\n"
        f"took {minutes} min {seconds} s and at most {_peak_gigabytes():.1f} GB\n\n"
        f"Ask for something else: rvos segment {video} "
        f'"the circle moving left" --weights {folder.model}\n'
        f"The same command shows this again; delete {folder.root} to start anew."
    )


def _peak_gigabytes() -> float:
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    # Linux counts kilobytes.
    return sum(resource.getrusage(part).ru_maxrss for part in who) / 1e6


def _announce(number: int, text: str) -> None:
    _say(f"[{number}/{_NUM_STEPS}] {text}")


def _say(text: str) -> None:
    # Flushed, so that it stands above the progress bars, which go to stderr.
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
