"""What predictions were made with, so that a folder never holds those of two models."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from lightning.pytorch import LightningModule, Trainer

from rvos.callbacks.prediction_files import PredictionWriteError
from rvos.datasets.files import write_json
from rvos.layers.described import describe

_FILE_NAME = ".origin.json"


@dataclass(frozen=True)
class PredictionOrigin:
    """All that is compared before predictions are added to a folder.

    Attributes:
        weights: Digest of the model's parameters and buffers.
        model: Digest of how the model is built.
        selection: The rule that chose the tracks.
        precision: Number format of the computation.
    """

    weights: str
    model: str
    selection: str
    precision: str

    @classmethod
    def of(cls, task: LightningModule, trainer: Trainer) -> "PredictionOrigin":
        """Describe what is about to predict.

        Args:
            task: The task, its weights loaded.
            trainer: The trainer.

        Returns:
            The description.
        """
        digest = hashlib.blake2b(digest_size=16)
        for name, tensor in sorted(task.state_dict().items()):
            digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
            flat = tensor.detach().cpu().contiguous().flatten()
            digest.update(flat.view(torch.uint8).numpy().data)
        described = [type(task).__name__, describe(getattr(task, "model", None))]
        built = json.dumps(described, sort_keys=True, default=str)
        return cls(
            weights=digest.hexdigest(),
            model=hashlib.blake2b(built.encode(), digest_size=16).hexdigest(),
            selection=str(getattr(task, "selection", None)),
            precision=str(trainer.precision),
        )

    @classmethod
    def read(cls, folder: Path) -> "PredictionOrigin | None":
        """Read what the predictions of a folder were made with.

        Args:
            folder: Folder of the predictions.

        Returns:
            The description; None where the folder tells none.

        Raises:
            PredictionWriteError: The description is damaged.
        """
        path = folder / _FILE_NAME
        if not path.is_file():
            return None
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            message = f"{path} is damaged; name another folder, or delete this one"
            raise PredictionWriteError(message) from error

    def write(self, folder: Path) -> None:
        """Write the description into a folder.

        Args:
            folder: Folder of the predictions.
        """
        write_json(folder / _FILE_NAME, asdict(self))

    def difference(self, other: "PredictionOrigin") -> str:
        """Name what differs.

        Args:
            other: Another description.

        Returns:
            The names, ``""`` where nothing does.

        >>> PredictionOrigin("a", "b", "c", "d").difference(PredictionOrigin("a", "b", "c", "e"))
        'precision'
        """
        return ", ".join(
            name for name, value in asdict(self).items() if value != asdict(other)[name]
        )


def check_origin(found: PredictionOrigin | None, now: PredictionOrigin, folder: Path) -> None:
    """Refuse to mix predictions.

    Args:
        found: What the predictions in the folder were made with, None where it does not tell.
        now: What is about to predict.
        folder: Folder of the predictions.

    Raises:
        PredictionWriteError: They differ.
    """
    difference = "origin unknown" if found is None else now.difference(found)
    if difference:
        message = (
            f"{folder} holds predictions that were made with something else ({difference}); "
            "name another folder, or delete this one"
        )
        raise PredictionWriteError(message)
