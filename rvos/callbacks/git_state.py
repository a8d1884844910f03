"""The state of the code that runs."""

import os
import subprocess
from pathlib import Path

from rvos.structures.run_record import GitState

# More is no small change any more, and nobody reads it.
_LONGEST_DIFF_BYTES = 1_000_000
# A checkout on a slow network file system must not hold up a run.
_PATIENCE_S = 20


def read_git_state(checkout: Path) -> tuple[GitState | None, bytes]:
    """Ask git about a checkout.

    Args:
        checkout: Its top folder, which holds ``.git``; where the package is installed elsewhere,
            some other project's checkout around it does not count.

    Returns:
        The state, or None without a checkout or without git; and the difference of tracked files
        to the commit, empty if there is none or it is longer than a megabyte.

    >>> read_git_state(Path("no/such/folder"))
    (None, b'')
    """
    if not (checkout / ".git").exists():
        return None, b""
    try:
        commit = _git(checkout, "rev-parse", "HEAD").decode().strip()
        branch = _git(checkout, "rev-parse", "--abbrev-ref", "HEAD").decode().strip()
        changes = _git(checkout, "status", "--porcelain")
        difference = _git(checkout, "diff", "--no-ext-diff", "--binary", "HEAD")
    except (OSError, subprocess.SubprocessError):
        return None, b""
    state = GitState(commit, None if branch == "HEAD" else branch, is_dirty=bool(changes.strip()))
    return state, difference if len(difference) <= _LONGEST_DIFF_BYTES else b""


def _git(checkout: Path, *words: str) -> bytes:
    # Without optional locks git only reads, also beside another git at work.
    return subprocess.run(
        ["git", "-C", str(checkout), *words],
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_PATIENCE_S,
        check=True,
    ).stdout
