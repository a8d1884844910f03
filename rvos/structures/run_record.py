"""What a run leaves behind about itself: ``run.json`` in its folder."""

import dataclasses
import json
import typing
from dataclasses import dataclass, field
from typing import Any, Literal

from rvos.structures.errors import RvosError
from rvos.structures.process_identity import ProcessIdentity

RUN_RECORD_FILE = "run.json"
RUN_RECORD_SCHEMA = 1

EndState = Literal["running", "finished", "interrupted", "failed"]


class RunRecordError(RvosError):
    """A run record that cannot be read."""


@dataclass
class GitState:
    """The checkout that the code was run from.

    Attributes:
        commit: Full hash.
        branch: Its branch; None for a detached head.
        is_dirty: Whether files differ from the commit, new ones included.
        diff: Name of the file, beside the record, with the difference of tracked files; None
            without one, or where it is too long to be kept.
    """

    commit: str
    branch: str | None
    is_dirty: bool
    diff: str | None = None


@dataclass
class BestCheckpoint:
    """The checkpoint that the run itself holds for its best.

    Attributes:
        metric: What checkpoints are ranked by.
        mode: Whether more or less of it is better.
        value: The best value so far; None if it is not a number.
        checkpoint: Path, relative to the run's folder where it lies below.
    """

    metric: str
    mode: Literal["max", "min"]
    value: float | None
    checkpoint: str


@dataclass
class RunEnvironment:
    """Where a run took place.

    Attributes:
        platform: Operating system.
        python: Version of the interpreter.
        cpu: Model of the processor.
        num_cpus: Processors that the process may use.
        gpus: One line per GPU of the first process's node: name and memory.
        cuda: Version that torch was built for; None for a CPU build.
        num_ranks: Processes that take part.
        num_nodes: Machines that take part.
        variables: Chosen environment variables (SLURM's, threads, devices); never all of them,
            because some hold secrets.
    """

    platform: str
    python: str
    cpu: str
    num_cpus: int
    gpus: list[str]
    cuda: str | None
    num_ranks: int
    num_nodes: int
    variables: dict[str, str]


@dataclass
class RunRecord:
    """Everything needed to tell runs apart, to judge and to repeat them.

    Written when the run starts, at each checkpoint, about once a minute, and at the end.

    Attributes:
        schema: Version of this layout. A field may be added without a new one.
        name: Name of the run's folder, after its experiment file.
        version: Name of the folder below.
        verb: ``fit``, ``validate``, ``test`` or ``predict``.
        state: ``running`` until the end is known; who was killed keeps it.
        command: The words of the command line.
        seed: Seed of every random draw; None if none was set.
        started_from: Checkpoint that the run went on from, or evaluated; None = none.
        started: ISO 8601, with the offset to UTC, like the others.
        updated: When this record was written.
        ended: When the run ended; None while it goes on.
        error: First line of what ended it; None otherwise.
        start_step: Optimizer steps that the checkpoint had done.
        step: Optimizer steps done.
        max_steps: Optimizer steps to be done; None = no limit.
        epoch: Epochs completed.
        max_epochs: Epochs to be completed; None = no limit.
        best: The best checkpoint; None where none is ranked or none was written.
        last_checkpoint: The checkpoint to resume from; None = none yet.
        metrics: The last validation or test: name to value.
        process: The writing process.
        git: State of the code; None outside of a checkout.
        environment: Where it ran.
        packages: Name to version of every package installed.
    """

    name: str
    version: str
    verb: str
    state: EndState
    command: list[str]
    started: str
    updated: str
    process: ProcessIdentity
    environment: RunEnvironment
    schema: int = RUN_RECORD_SCHEMA
    seed: int | None = None
    started_from: str | None = None
    ended: str | None = None
    error: str | None = None
    start_step: int = 0
    step: int = 0
    max_steps: int | None = None
    epoch: int = 0
    max_epochs: int | None = None
    best: BestCheckpoint | None = None
    last_checkpoint: str | None = None
    metrics: dict[str, float | None] = field(default_factory=dict)
    git: GitState | None = None
    packages: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Write as JSON that people can read.

        Returns:
            Several lines.
        """
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"


def parse_run_record(text: str | bytes) -> RunRecord:
    """Read what ``RunRecord.to_json`` wrote; entries of later versions are left out.

    Args:
        text: The content of a ``run.json``.

    Returns:
        The record.

    Raises:
        RunRecordError: The text is no run record, or one of a later layout.

    Example:
        >>> parse_run_record("[]")
        Traceback (most recent call last):
        rvos.structures.run_record.RunRecordError: holds a list where an object belongs
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"is not JSON ({error})"
        raise RunRecordError(message) from error
    schema = content.get("schema") if isinstance(content, dict) else None
    if isinstance(schema, int) and schema > RUN_RECORD_SCHEMA:
        message = f"has layout {schema}, of a newer rvos; this one reads up to {RUN_RECORD_SCHEMA}"
        raise RunRecordError(message)
    record: RunRecord = _build(RunRecord, content, "")
    return record


def _build(kind: Any, value: Any, place: str) -> Any:
    """Make a value of a type out of JSON, checking every entry."""
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(kind, value, place)
    if typing.get_origin(kind) is not None:
        return _build_generic(kind, value, place)
    if kind is float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(_checked(is_number, value, "a number", place))
    is_kind = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    return _checked(is_kind, value, f"a value of type {kind.__name__}", place)


def _build_generic(kind: Any, value: Any, place: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return _checked(value in arguments, value, " or ".join(map(str, arguments)), place)
    if origin is list:
        items = _checked(isinstance(value, list), value, "a list", place)
        return [_build(arguments[0], item, place) for item in items]
    if origin is dict:
        entries = _checked(isinstance(value, dict), value, "an object", place)
        return {key: _build(arguments[1], each, f"{place}.{key}") for key, each in entries.items()}
    return None if value is None else _build(arguments[0], value, place)


def _build_dataclass(kind: Any, value: Any, place: str) -> Any:
    entries = _checked(isinstance(value, dict), value, "an object", place)
    hints = typing.get_type_hints(kind)
    parts = {}
    for each in dataclasses.fields(kind):
        where = f"{place}.{each.name}" if place else each.name
        if each.name in entries:
            parts[each.name] = _build(hints[each.name], entries[each.name], where)
        elif each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING:
            message = f"has no entry {where}"
            raise RunRecordError(message)
    return kind(**parts)


def _checked(holds: bool, value: Any, expected: str, place: str) -> Any:
    if not holds:
        found = type(value).__name__ if isinstance(value, dict | list) else repr(value)[:40]
        at = f" at {place}" if place else ""
        message = f"holds a {found} where {expected} belongs{at}"
        raise RunRecordError(message)
    return value
