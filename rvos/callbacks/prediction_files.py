"""Files of predicted masks, whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from rvos.structures.errors import RvosError
from rvos.structures.predictions import VideoPrediction


class PredictionWriteError(RvosError):
    """Predictions cannot be written."""


@contextmanager
def report_write_errors(root: Path) -> Iterator[None]:
    """Say what to do where a folder cannot be written.

    Args:
        root: Folder of the predictions.

    Raises:
        PredictionWriteError: Something could not be written.
    """
    try:
        yield
    except OSError as error:
        message = f"cannot write to {root} ({error}); choose a folder you may write to"
        raise PredictionWriteError(message) from error


def write_prediction(prediction: VideoPrediction, root: Path) -> Path:
    """Write the masks of one expression, whole or not at all.

    Where single frames are annotated, the samples of an expression come one by one: frames that its
    folder lacks are added to it.

    Args:
        prediction: The masks.
        root: Folder of the submission.

    Returns:
        The folder that holds one PNG per frame.

    Raises:
        PredictionWriteError: The folder cannot be written.
    """
    destination = root / prediction.video_id / _expression_id(prediction)
    part = destination.with_name(f".{destination.name}.part")
    missing = [
        position
        for position, frame_id in enumerate(prediction.frame_ids)
        if not (destination / f"{frame_id}.png").exists()
    ]
    try:
        if not missing:
            return destination
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        masks = prediction.masks.cpu().numpy().astype(np.uint8) * 255
        for position in missing:
            Image.fromarray(masks[position]).save(part / f"{prediction.frame_ids[position]}.png")
        if not destination.exists():
            part.replace(destination)
        else:
            for path in part.iterdir():
                path.replace(destination / path.name)
            part.rmdir()
    except OSError as error:
        message = f"cannot write masks to {destination} ({error}); choose a folder you may write to"
        raise PredictionWriteError(message) from error
    return destination


def _expression_id(prediction: VideoPrediction) -> str:
    """Take the second part of ``<video>/<expression id>[/<anchor>]``; video names may hold `/`."""
    rest = prediction.sample_id.removeprefix(f"{prediction.video_id}/")
    return rest.split("/")[0]
