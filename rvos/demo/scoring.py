"""The demo's scores, each measured once."""

from typing import Literal

from torch.utils.tensorboard import SummaryWriter

from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.moving_shapes.vocabulary import Kind
from rvos.demo.folder import DemoFolder
from rvos.demo.settings import DemoSettings
from rvos.evaluation.held_out import ExpressionSegmenter, score_held_out
from rvos.evaluation.score_file import read_scores, write_scores
from rvos.metrics import JAndFResult

_NAME = "demo"


def open_test_videos(
    settings: DemoSettings, folder: DemoFolder, kinds: tuple[Kind, ...] | None = None
) -> MeViSDataset:
    """Open the held-out videos.

    Args:
        settings: How many.
        folder: Holds the videos.
        kinds: Kinds of expression; None = those that are scored.

    Returns:
        The data set.
    """
    return MeViSDataset(
        folder.data,
        "test",
        targets="all_tracks",
        kinds=settings.test_kinds if kinds is None else kinds,
        max_videos=settings.num_test_videos,
    )


def score_once(
    name: Literal["before", "after"],
    model: ExpressionSegmenter,
    settings: DemoSettings,
    folder: DemoFolder,
) -> JAndFResult:
    """Score a model on the held-out videos, or read what an earlier run measured.

    Args:
        name: ``before`` or ``after``.
        model: In evaluation mode.
        settings: What to score on.
        folder: Holds the videos; gets the scores, in TensorBoard, too.

    Returns:
        Scores, overall and per kind.
    """
    path = folder.scores(name)
    if not path.exists():
        samples = open_test_videos(settings, folder)
        selections = {_NAME: settings.selection}
        scores = score_held_out(model, samples, selections, shuffle=False, show_progress=True)
        write_scores(path, scores.model[_NAME])
        step = settings.num_steps if name == "after" else 0
        with SummaryWriter(str(folder.tensorboard)) as writer:
            for title, value in scores.model[_NAME].as_log_dict("held_out/").items():
                writer.add_scalar(title, value, step)
    return read_scores(path)
