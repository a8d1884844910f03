import subprocess
from pathlib import Path

import pytest

from rvos.callbacks.git_state import read_git_state


def _git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit."""
    _git(tmp_path, "init", "-q", "-b", "trunk")
    (tmp_path / "a.py").write_text("x = 1\n")
    _git(tmp_path, "add", "a.py")
    _git(tmp_path, "commit", "-q", "-m", "Begin")
    return tmp_path


def test_clean_checkout(checkout: Path) -> None:
    state, difference = read_git_state(checkout)
    assert state is not None
    assert (state.commit, state.branch) == (_git(checkout, "rev-parse", "HEAD"), "trunk")
    assert not state.is_dirty
    assert difference == b""


def test_changes_can_be_made_again_from_the_difference(checkout: Path) -> None:
    (checkout / "a.py").write_text("x = 2\n")
    state, difference = read_git_state(checkout)
    assert state is not None
    assert state.is_dirty
    _git(checkout, "checkout", "-q", "a.py")
    (checkout / "code.diff").write_bytes(difference)
    _git(checkout, "apply", "code.diff")
    assert (checkout / "a.py").read_text() == "x = 2\n"


def test_new_files_make_it_dirty_and_a_long_difference_is_left_out(checkout: Path) -> None:
    (checkout / "b.py").write_text("y = 1\n")
    state, difference = read_git_state(checkout)
    assert state is not None
    assert state.is_dirty
    assert difference == b""
    (checkout / "a.py").write_text("".join(f"x = {number}\n" for number in range(100_000)))
    assert read_git_state(checkout)[1] == b""


def test_detached_head_has_no_branch(checkout: Path) -> None:
    _git(checkout, "checkout", "-q", "--detach")
    state, _ = read_git_state(checkout)
    assert state is not None
    assert state.branch is None


def test_a_folder_inside_of_a_checkout_is_none(checkout: Path) -> None:
    installed = checkout / "site-packages"
    installed.mkdir()
    assert read_git_state(installed) == (None, b"")


def test_a_broken_checkout_or_no_git_is_none(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / ".git" / "HEAD").write_text("nonsense")
    assert read_git_state(checkout) == (None, b"")
    monkeypatch.setenv("PATH", "/nowhere")
    assert read_git_state(checkout) == (None, b"")
