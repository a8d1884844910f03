"""The demo's output folder: what is where, and which settings it belongs to."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rvos.demo.settings import DemoSettings
from rvos.evaluation.score_file import write_report
from rvos.structures.errors import RvosError


class DemoError(RvosError):
    """The demo cannot run as asked."""


@dataclass(frozen=True)
class DemoFolder:
    """Where the demo keeps its things.

    Attributes:
        root: The output folder.

    >>> DemoFolder(Path("demo")).checkpoint.as_posix()
    'demo/tensorboard/checkpoints/last.ckpt'
    """

    root: Path

    @property
    def settings(self) -> Path:
        """The settings that everything in the folder was made with."""
        return self.root / "settings.json"

    @property
    def data(self) -> Path:
        """The videos."""
        return self.root / "data"

    @property
    def tensorboard(self) -> Path:
        """Curves and pictures."""
        return self.root / "tensorboard"

    @property
    def checkpoint(self) -> Path:
        """The state that an interrupted training goes on from."""
        return self.tensorboard / "checkpoints" / "last.ckpt"

    @property
    def model(self) -> Path:
        """The fitted model."""
        return self.root / "model"

    @property
    def fitted(self) -> bool:
        """Whether the fitted model is complete; its configuration is written last."""
        return (self.model / "config.json").is_file()

    @property
    def overlay(self) -> Path:
        """The segmented video."""
        return self.root / "overlay.mp4"

    @property
    def strip(self) -> Path:
        """The segmented video as a picture."""
        return self.root / "strip.png"

    def scores(self, name: str) -> Path:
        """File of scores.

        Args:
            name: ``before`` or ``after``.
        """
        return self.root / f"scores_{name}.json"

    def claim(self, settings: DemoSettings) -> None:
        """Mark the folder as belonging to these settings.

        Args:
            settings: Of this run.

        Raises:
            DemoError: The folder holds something else or cannot be written.
        """
        # Through JSON, which turns tuples into lists.
        wanted = json.loads(json.dumps(asdict(settings)))
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            if self.settings.exists():
                self._compare(json.loads(self.settings.read_text(encoding="utf-8")), wanted)
                return
            if any(self.root.iterdir()):
                message = (
                    f"{self.root} is not empty and was not written by `rvos demo`; choose another "
                    "folder with --output"
                )
                raise DemoError(message)
        except (OSError, ValueError) as error:
            message = f"cannot use {self.root} ({error}); choose another folder with --output"
            raise DemoError(message) from error
        write_report(self.settings, wanted)

    def _compare(self, found: dict[str, object], wanted: dict[str, object]) -> None:
        """Continue only what was begun with the same settings."""
        names = sorted(found.keys() | wanted.keys())
        differing = [name for name in names if found.get(name) != wanted.get(name)]
        if differing:
            changes = ", ".join(
                f"{name} {found.get(name)} there, {wanted.get(name)} now" for name in differing
            )
            message = (
                f"{self.root} holds a demo with other settings ({changes}); "
                "delete it or choose another folder with --output"
            )
            raise DemoError(message)
