"""Files of predicted masks, whole or not at all."""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from rvos.datasets.safe_names import is_plain_name
from rvos.storage import write_errors
from rvos.structures.errors import RvosError
from rvos.structures.predictions import VideoPrediction


class PredictionWriteError(RvosError):
    """Predictions cannot be added to a folder."""


def write_prediction(prediction: VideoPrediction, root: Path) -> Path:
    """Write the masks of one expression, whole or not at all.

    Where single frames are annotated, the samples of an expression come one by one: frames that its
    folder lacks are added to it. A process that is killed leaves ``.<expression id>.part``, which
    counts for nothing and is replaced by the next one.

    Args:
        prediction: The masks.
        root: Folder of the submission.

    Returns:
        The folder that holds one PNG per frame.

    Raises:
        PredictionWriteError: An id would lead out of the folder.
        StorageError: The folder cannot be written.
    """
    _check_names(prediction)
    destination = root / prediction.video_id / _expression_id(prediction)
    part = destination.with_name(f".{destination.name}.part")
    missing = [
        position
        for position, frame_id in enumerate(prediction.frame_ids)
        if not (destination / f"{frame_id}.png").exists()
    ]
    if not missing:
        return destination
    with write_errors(destination):
        try:
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            masks = prediction.masks.cpu().numpy().astype(np.uint8) * 255
            for position in missing:
                path = part / f"{prediction.frame_ids[position]}.png"
                Image.fromarray(masks[position]).save(path)
            _add(part, destination)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return destination


def _check_names(prediction: VideoPrediction) -> None:
    """Refuse ids of a dataset that are no plain names, whoever has read it."""
    folders = (*Path(prediction.video_id).parts, _expression_id(prediction))
    for name in (*folders, *prediction.frame_ids):
        if not is_plain_name(name):
            message = (
                f"the prediction of {prediction.sample_id!r} is not written: {name[:80]!r} is no "
                "plain file name; mend the id in the dataset"
            )
            raise PredictionWriteError(message)


def _add(part: Path, destination: Path) -> None:
    """Move complete files to where they belong."""
    if not destination.exists():
        part.replace(destination)
        return
    for path in part.iterdir():
        path.replace(destination / path.name)


def _expression_id(prediction: VideoPrediction) -> str:
    """Take the second part of ``<video>/<expression id>[/<anchor>]``; video names may hold `/`."""
    rest = prediction.sample_id.removeprefix(f"{prediction.video_id}/")
    return rest.split("/")[0]
