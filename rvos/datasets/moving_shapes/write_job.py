"""What is being written, and the folder that remembers how far it has come."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rvos.datasets.files import write_json
from rvos.datasets.moving_shapes.actions import ACTIONS
from rvos.datasets.moving_shapes.errors import MovingShapesError
from rvos.datasets.moving_shapes.preset import MovingShapesPreset
from rvos.datasets.moving_shapes.records import shared_state
from rvos.datasets.moving_shapes.vocabulary import LAYOUTS, BenchmarkLayout, Split


@dataclass(frozen=True)
class WriteJob:
    """All that determines what is written; picklable for worker processes.

    Attributes:
        root: Root of the benchmark.
        layout: Benchmark to imitate.
        folder: Name of the split's folder.
        split: The split.
        seed: Seed of the split.
        preset: What worlds may contain.

    Example:
        >>> from rvos.datasets.moving_shapes.preset import HELD_OUT
        >>> job = WriteJob(Path("mevis"), "mevis", "valid_u", "valid", 0, HELD_OUT)
        >>> job.record_path(7).as_posix()
        'mevis/valid_u/.moving_shapes/000007.json'
    """

    root: Path
    layout: BenchmarkLayout
    folder: str
    split: Split
    seed: int
    preset: MovingShapesPreset

    @property
    def state(self) -> Path:
        """Folder for what is half written and for the records of finished videos."""
        if self.shares_files:
            return shared_state(self.root, self.folder)
        return self.root / self.folder / ".moving_shapes"

    @property
    def shares_files(self) -> bool:
        """Whether the layout has files that several splits share."""
        return self.layout not in LAYOUTS

    def record_path(self, index: int) -> Path:
        """Where the record of a finished video is kept."""
        return self.state / f"{index:06d}.json"

    def identity(self) -> str:
        """What the videos of a folder must have in common, as JSON."""
        shared = asdict(self)
        del shared["root"], shared["folder"]
        return json.dumps(shared)

    def claim(self) -> None:
        """Mark the folder as belonging to this job.

        Raises:
            MovingShapesError: The folder holds something else.
        """
        folder = self.root if self.shares_files else self.root / self.folder
        path = self.state / "job.json"
        if path.exists():
            stored = json.loads(path.read_text(encoding="utf-8"))
            # Folders from before presets named actions hold all of them.
            stored["preset"].setdefault("actions", list(ACTIONS))
            if stored != json.loads(self.identity()):
                message = (
                    f"{folder} holds MovingShapes of another seed, preset, split or layout; choose "
                    "another destination or delete that folder"
                )
                raise MovingShapesError(message)
            return
        # Another split has been written there before.
        shared = self.shares_files and self.state.parent.is_dir()
        if not shared and folder.exists() and any(folder.iterdir()):
            message = f"{folder} is not empty and was not written by MovingShapes; choose another"
            raise MovingShapesError(message)
        write_json(path, json.loads(self.identity()))
