"""The files of `rvos segment`, whole or not at all."""

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
from jaxtyping import Bool
from PIL import Image

from rvos.storage import FolderLock
from rvos.structures.errors import RvosError

_LONGEST_SLUG = 40
_STAGED = ".rvos-"
# As VideoWriter names it.
_UNFINISHED_OVERLAY = ".overlay.*.part"


class OutputError(RvosError):
    """Results cannot be written where they should go."""


class OutputFolder:
    """Collects results in a hidden folder and moves them into place at the end.

    Use as a context manager. On any exception, Ctrl-C included, earlier results stay as they were
    and nothing else is left behind, folders made on the way included. While it is open, another job
    cannot open the same folder.

    Args:
        path: Where results go; it is made where missing.

    Raises:
        OutputError: The folder cannot be written.
        FolderInUseError: Another job writes to it.

    >>> folder = OutputFolder(Path(tempfile.mkdtemp()) / "results")
    >>> with folder:
    ...     folder.write_mask("01_dog", "00000", np.ones((2, 3), bool))
    >>> [path.name for path in folder.path.glob("masks/*/*")]
    ['00000.png']
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._resources = contextlib.ExitStack()

    def __enter__(self) -> "OutputFolder":
        """Make the folder and see that it can be written, before hours are spent on results."""
        with self._resources, self.mendable_errors():
            for folder in reversed([self.path, *self.path.parents]):
                if not folder.exists():
                    folder.mkdir()
                    self._resources.callback(_remove_if_empty, folder)
            self._resources.enter_context(FolderLock(self.path))
            self._remove_remains()
            self._staged = Path(tempfile.mkdtemp(prefix=_STAGED, dir=self.path))
            self._resources.callback(shutil.rmtree, self._staged, ignore_errors=True)
            self._resources = self._resources.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Move the results into place, or remove every trace of them."""
        with self._resources:
            if error is None:
                with self.mendable_errors():
                    self._publish()

    def write_mask(self, name: str, frame_id: str, mask: Bool[np.ndarray, "h w"]) -> None:
        """Write the mask of one frame as PNG, 255 on the object.

        Args:
            name: Folder of the expression below ``masks``.
            frame_id: Name of the frame.
            mask: ``[H, W]``, True on the object.
        """
        path = self._staged / "masks" / name / f"{frame_id}.png"
        with self.mendable_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask.astype(np.uint8) * 255).save(path)

    def write_text(self, name: str, text: str) -> None:
        """Write a text file.

        Args:
            name: Its name.
            text: What it holds.
        """
        with self.mendable_errors():
            (self._staged / name).write_text(text, encoding="utf-8")

    def _remove_remains(self) -> None:
        """Remove what a job has left that was killed; none is at work while the lock is held."""
        for folder in self.path.glob(f"{_STAGED}*"):
            shutil.rmtree(folder, ignore_errors=True)
        for file in self.path.glob(_UNFINISHED_OVERLAY):
            file.unlink(missing_ok=True)

    def _publish(self) -> None:
        """Move every staged file and mask folder over its older version."""
        staged_masks = sorted(self._staged.glob("masks/*"))
        old = self._staged / "old"
        old.mkdir()
        for source in [*staged_masks, *(p for p in self._staged.iterdir() if p.is_file())]:
            target = self.path / source.relative_to(self._staged)
            target.parent.mkdir(exist_ok=True)
            if target.is_dir():
                # A folder cannot be replaced in one step; a stale frame must not survive.
                target.rename(old / target.name)
            source.replace(target)

    @contextlib.contextmanager
    def mendable_errors(self) -> Iterator[None]:
        """Turn the operating system's errors into a message to the user.

        Raises:
            OutputError: Something could not be written.
        """
        try:
            yield
        except OSError as error:
            message = (
                f"cannot write to {self.path} ({error.strerror or error}); "
                "choose another folder with -o"
            )
            raise OutputError(message) from error


def expression_slug(number: int, expression: str) -> str:
    """Make a folder name of an expression.

    Args:
        number: Its number from 1, which keeps names apart.
        expression: Any text.

    Returns:
        Number and words, without anything a file system objects to.

    >>> expression_slug(3, "The red/blue car, left!")
    '03_the-red-blue-car-left'
    """
    words = re.sub(r"\W+", "-", expression.lower())[:_LONGEST_SLUG].strip("-_")
    return f"{number:02d}_{words}" if words else f"{number:02d}"


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
