"""Folders and files from the hub."""

from pathlib import Path

from huggingface_hub import hf_hub_download, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from rvos.checkpoints.files import CheckpointError

# The same weights in formats that are not read here.
_OTHER_FORMATS = ["*.bin", "*.pth", "*.pt", "*.h5", "*.msgpack", "*.onnx"]

# user, name, file
_PARTS_OF_HUB_FILE = 3


def download_folder(repository: str, also_known: str = "") -> Path:
    """Download a repository, or find it in the hub's cache.

    Args:
        repository: Hub id, ``user/name``.
        also_known: Names that mean something without the hub, for the error's text.

    Returns:
        The folder in the cache.

    Raises:
        CheckpointError: There is no such repository, or the hub cannot be reached.
    """
    try:
        return Path(snapshot_download(repository, ignore_patterns=_OTHER_FORMATS))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        bundled = f"neither bundled ({also_known}), nor " if also_known else "neither "
        message = (
            f"no weights called {repository!r}: {bundled}a file or folder, nor reachable on the hub"
        )
        raise CheckpointError(message) from error


def find_file(path: Path) -> Path:
    """Find a file on this machine, or on the hub where its path is ``user/name/file``.

    Args:
        path: As the user gave it.

    Returns:
        Where the file lies, maybe in the hub's cache; the same path if it is nowhere.

    Example:
        >>> find_file(Path("weights.pth"))
        PosixPath('weights.pth')
    """
    if path.exists() or path.is_absolute() or len(path.parts) != _PARTS_OF_HUB_FILE:
        return path
    owner, name, file = path.parts
    try:
        return Path(hf_hub_download(f"{owner}/{name}", file))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError):
        return path
