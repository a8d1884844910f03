"""Scores and other figures as JSON files."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from rvos.metrics import JAndFResult, JAndFScores
from rvos.structures.errors import RvosError


class ScoreFileError(RvosError):
    """A file of scores cannot be written or read."""


def check_writable(path: Path) -> None:
    """Refuse a file that cannot be written, before the figures are measured.

    Args:
        path: The file to come.

    Raises:
        ScoreFileError: Its folder is missing or may not be written to, or it is a folder.

    Example:
        >>> check_writable(Path("no/such/folder/scores.json"))
        Traceback (most recent call last):
        rvos.evaluation.score_file.ScoreFileError: cannot write no/such/folder/scores.json: ...
    """
    if path.is_dir():
        message = f"cannot write {path}: it is a folder; give the name of a file"
        raise ScoreFileError(message)
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        message = f"cannot write {path}: its folder is missing or read-only; choose another"
        raise ScoreFileError(message)


def write_report(path: Path, content: Mapping[str, Any]) -> None:
    """Write figures beside the target, then rename.

    Args:
        path: The target.
        content: What to write.

    Raises:
        ScoreFileError: It cannot be written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "figures.json"
        >>> write_report(path, {"J": 0.5})
        >>> json.loads(path.read_text())
        {'J': 0.5}
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(f"{json.dumps(content, indent=1)}\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        message = f"cannot write {path} ({error.strerror or error}); choose another place"
        raise ScoreFileError(message) from error


def write_scores(path: Path, result: JAndFResult) -> None:
    """Write J and F, overall and per kind.

    Args:
        path: The target.
        result: The scores.

    Raises:
        ScoreFileError: It cannot be written.
    """
    kinds = {kind: _as_json(scores) for kind, scores in result.per_kind.items()}
    write_report(path, {"overall": _as_json(result.overall), "kinds": kinds})


def read_scores(path: Path) -> JAndFResult:
    """Read what ``write_scores`` wrote.

    Args:
        path: The file.

    Returns:
        The scores, equal to the bit.

    Raises:
        ScoreFileError: The file is missing or broken.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        kinds = {kind: _from_json(scores) for kind, scores in content["kinds"].items()}
        return JAndFResult(_from_json(content["overall"]), kinds)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        message = f"{path} is no file of scores ({error}); delete it to measure again"
        raise ScoreFileError(message) from error


def _as_json(scores: JAndFScores) -> dict[str, float]:
    return {
        "J": scores.j.item(),
        "F": scores.f.item(),
        "J&F": scores.j_and_f.item(),
        "num_expressions": scores.num_expressions,
    }


def _from_json(content: Mapping[str, Any]) -> JAndFScores:
    j, f = torch.tensor([content["J"], content["F"]], dtype=torch.float64)
    return JAndFScores(j, f, int(content["num_expressions"]))
