"""Finds the runs below a folder and reads what they tell of themselves."""

import datetime
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rvos.structures.process_identity import is_alive
from rvos.structures.run_record import (
    RUN_RECORD_FILE,
    RunRecord,
    RunRecordError,
    parse_run_record,
)

# Folders are runs/<experiment>/version_<n>; a level more for who sorts them.
_DEPTH = 4
_MARKS = {RUN_RECORD_FILE, "config.yaml", "hparams.yaml", "checkpoints"}
_LONGEST_RECORD_BYTES = 4_000_000
_LONGEST_CONFIG_BYTES = 4_000
# A process on another machine gives a sign of life about once a minute.
_SILENCE = datetime.timedelta(minutes=15)

RunState = Literal["running", "finished", "interrupted", "failed", "killed", "unknown"]


@dataclass
class RunSummary:
    """One line of the list.

    Attributes:
        folder: The run's folder.
        name: Its experiment.
        version: Name of the folder itself.
        state: ``killed`` is who was running and does not any more; ``unknown`` without a record.
        verb: ``fit`` where nothing is told.
        step: Optimizer steps done, of ``max_steps``.
        max_steps: None = no limit, or not known.
        epoch: Epochs completed, of ``max_epochs``.
        max_epochs: None = no limit, or not known.
        metrics: Name to value; of the metric that checkpoints are ranked by the best value.
        ranked_by: That metric.
        lower_is_better: Whether less of it is better.
        checkpoint: The best checkpoint, else the newest, relative to the folder.
        started: When; without a record, when the folder's first file was written.
        seconds: How long it took, or has taken until its last sign of life.
        seed: Its seed.
        commit: The code's commit, shortened; with ``+`` if there were changes to it.
        host: The machine of its first process.
        error: What ended it.
        started_from: The checkpoint that it went on from.
        problem: Why the record cannot be read.
    """

    folder: Path
    name: str
    version: str
    state: RunState = "unknown"
    verb: str = "fit"
    step: int | None = None
    max_steps: int | None = None
    epoch: int | None = None
    max_epochs: int | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    ranked_by: str | None = None
    lower_is_better: bool = False
    checkpoint: str | None = None
    started: datetime.datetime | None = None
    seconds: float | None = None
    seed: int | None = None
    commit: str | None = None
    host: str | None = None
    error: str | None = None
    started_from: str | None = None
    problem: str | None = None


def find_runs(root: Path) -> Iterator[Path]:
    """Find the folders of runs; what lies inside of one is not looked at.

    Args:
        root: Where to look; may be a run itself.

    Yields:
        Folders, in the order of their names.
    """
    yield from _find(root, _DEPTH)


def read_run(folder: Path, now: datetime.datetime) -> RunSummary:
    """Read what there is of a run; nothing in it, however broken, raises.

    Args:
        folder: The run's folder.
        now: The time, with its offset.

    Returns:
        The summary.
    """
    summary = RunSummary(folder, name=folder.absolute().parent.name, version=folder.name)
    try:
        path = folder / RUN_RECORD_FILE
        if path.exists():
            return _from_record(folder, _read_record(path), now)
    except (OSError, ValueError, RunRecordError) as error:
        summary.problem = f"{RUN_RECORD_FILE} {error}".partition("\n")[0]
    _add_files(summary)
    return summary


def _find(folder: Path, depth: int) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: _in_order(entry.name))
    except OSError:
        return
    has_events = any(entry.name.startswith("events.out.tfevents.") for entry in found)
    if has_events or not _MARKS.isdisjoint(entry.name for entry in found):
        yield folder
    elif depth > 0:
        for entry in found:
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                yield from _find(Path(entry.path), depth - 1)


def _in_order(name: str) -> tuple[str, int]:
    """Have version_10 after version_9."""
    number = re.search(r"\d{1,18}$", name)
    return (name, 0) if number is None else (name[: number.start()], int(number.group()))


def _read_record(path: Path) -> RunRecord:
    with path.open("rb") as file:
        content = file.read(_LONGEST_RECORD_BYTES + 1)
    if len(content) > _LONGEST_RECORD_BYTES:
        message = f"is longer than {_LONGEST_RECORD_BYTES} bytes"
        raise RunRecordError(message)
    return parse_run_record(content)


def _from_record(folder: Path, record: RunRecord, now: datetime.datetime) -> RunSummary:
    started, updated = _time(record.started), _time(record.updated)
    end = _time(record.ended) if record.ended is not None else updated
    metrics = {name: value for name, value in record.metrics.items() if value is not None}
    best = record.best
    if best is not None and best.value is not None:
        metrics[best.metric] = best.value
    git = record.git
    return RunSummary(
        folder,
        name=record.name,
        version=record.version,
        state=_state(record, updated, now),
        verb=record.verb,
        step=record.step,
        max_steps=record.max_steps,
        epoch=record.epoch,
        max_epochs=record.max_epochs,
        metrics=metrics,
        ranked_by=None if best is None else best.metric,
        lower_is_better=best is not None and best.mode == "min",
        checkpoint=record.last_checkpoint if best is None else best.checkpoint,
        started=started,
        seconds=max((end - started).total_seconds(), 0.0),
        seed=record.seed,
        commit=None if git is None else git.commit[:8] + ("+" if git.is_dirty else ""),
        host=record.process.host,
        error=record.error,
        started_from=record.started_from,
    )


def _state(record: RunRecord, updated: datetime.datetime, now: datetime.datetime) -> RunState:
    if record.state != "running":
        return record.state
    lives = is_alive(record.process)
    if lives is None:
        lives = now - updated < _SILENCE
    return "running" if lives else "killed"


def _time(text: str) -> datetime.datetime:
    """Read a time; one without an offset is taken for UTC."""
    time = datetime.datetime.fromisoformat(text)
    return time if time.tzinfo is not None else time.replace(tzinfo=datetime.UTC)


def _add_files(summary: RunSummary) -> None:
    """Add what the files of a run without a record show."""
    folder = summary.folder
    times = []
    for path in (*_files(folder), *_files(folder / "checkpoints")):
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue
        if path.suffix == ".ckpt" and (summary.checkpoint is None or path.stem == "best"):
            summary.checkpoint = str(path.relative_to(folder))
    if times:
        summary.started = datetime.datetime.fromtimestamp(min(times), datetime.UTC)
        summary.seconds = max(times) - min(times)
    summary.seed = _configured_seed(folder / "config.yaml")


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return []


def _configured_seed(path: Path) -> int | None:
    """Find the seed near the top of a configuration, without reading the whole of it."""
    try:
        with path.open("rb") as file:
            top = file.read(_LONGEST_CONFIG_BYTES).decode("utf-8", "replace")
    except OSError:
        return None
    found = re.search(r"^seed_everything: (\d{1,18})$", top, re.MULTILINE)
    return None if found is None else int(found.group(1))
