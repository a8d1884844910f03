"""What all readers are fuzzed with: valid files with something changed, and what must follow.

A reader either reads or raises an ``RvosError`` whose message names the file; it neither lets
another error through, nor hangs, nor takes the machine's memory.
"""

import json
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import strategies as st

from rvos.structures.errors import RvosError

# A hundred times what the slowest example takes: a hang becomes a failure.
PATIENCE_SECONDS = 120
# The report on weights that do not fit lists some names of each kind.
LONGEST_MESSAGE = 8000
MOST_GROWTH_MIB = 1500
DEEP = "<deep>"
# Python neither writes nor reads numbers of so many digits.
LONG = "<long>"

# What no file of a benchmark holds, in place of what it does.
HOSTILE_VALUES = [
    None,
    True,
    0,
    -1,
    1,
    2**31,
    2**63,
    10**30,
    LONG,
    0.5,
    -1.5,
    float("nan"),
    float("inf"),
    -float("inf"),
    "",
    " ",
    ".",
    "..",
    "../../x",
    "/etc/passwd",
    "a\\b",
    "a\0b",
    "a\nb",
    "\ud800",
    "\u0661",
    "9" * 5000,
    "x" * 300,
    "é" * 200,
    [],
    {},
    [[]],
    [None],
    {"a": {}},
    [1, 2, 3],
    DEEP,
]


def places(content: Any) -> list[tuple[Any, Any]]:
    """List every entry of nested lists and mappings, as its holder and its key."""
    found: list[tuple[Any, Any]] = []
    pending = [content]
    while pending:
        holder = pending.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                pending.append(holder[key])
    return found


def mutate_once(data: st.DataObject, content: Any) -> None:
    """Change one entry in place."""
    entries = places(content)
    if not entries:
        return
    holder, key = data.draw(st.sampled_from(range(len(entries))).map(entries.__getitem__))
    kind = data.draw(st.sampled_from(["replace", "drop", "swap", "rename", "add", "twice"]))
    if kind == "drop":
        del holder[key]
    elif kind == "swap":
        other, place = entries[data.draw(st.integers(0, len(entries) - 1))]
        holder[key] = deepcopy(other[place])
    elif kind == "rename" and isinstance(holder, dict):
        name = data.draw(st.sampled_from(HOSTILE_VALUES + list(holder)))
        holder[name if isinstance(name, str) else str(name)[:50]] = holder.pop(key)
    elif kind == "add" and isinstance(holder, dict):
        holder[data.draw(st.text(max_size=5))] = deepcopy(holder[key])
    elif kind == "twice" and isinstance(holder, list):
        holder.insert(key, deepcopy(holder[key]))
    else:
        holder[key] = deepcopy(data.draw(st.sampled_from(HOSTILE_VALUES)))


class Fuzzer:
    """Makes damaged files of sound ones."""

    def values(self, data: st.DataObject, content: Any) -> Any:
        """Change a few entries of parsed JSON."""
        content = deepcopy(content)
        for _ in range(data.draw(st.integers(1, 3))):
            mutate_once(data, content)
        return content

    def json(self, data: st.DataObject, content: Any) -> bytes:
        """Change a few entries, or the text itself."""
        if data.draw(st.integers(0, 4)) == 0:
            return self.bytes(data, json.dumps(content).encode())
        text = json.dumps(self.values(data, content)).replace(json.dumps(LONG), "1" + "0" * 5000)
        return text.replace(json.dumps(DEEP), "[" * 60_000 + "]" * 60_000).encode()

    def bytes(self, data: st.DataObject, content: bytes) -> bytes:
        """Cut off, overwrite, repeat or insert bytes."""
        changed = bytearray(content)
        for _ in range(data.draw(st.integers(1, 4))):
            position = data.draw(st.integers(0, max(0, len(changed) - 1)))
            kind = data.draw(st.sampled_from(["cut", "flip", "write", "insert", "delete"]))
            some = data.draw(st.binary(min_size=1, max_size=8))
            if kind == "cut":
                del changed[position:]
            elif kind == "flip" and changed:
                changed[position] ^= 1 << data.draw(st.integers(0, 7))
            elif kind == "write":
                changed[position : position + len(some)] = some
            elif kind == "insert":
                changed[position:position] = some
            else:
                del changed[position : position + data.draw(st.integers(1, 50))]
        return bytes(changed)

    def lines(self, data: st.DataObject, content: str) -> bytes:
        """Change a few lines, or the bytes."""
        if data.draw(st.integers(0, 3)) == 0:
            return self.bytes(data, content.encode())
        lines = content.split("\n")
        for _ in range(data.draw(st.integers(1, 3))):
            number = data.draw(st.integers(0, len(lines) - 1))
            parts = lines[number].split(",") if "," in content else lines[number].split(" ")
            values = [str(value)[:6000] for value in HOSTILE_VALUES if not isinstance(value, int)]
            value = data.draw(st.sampled_from([*values, "7" * 5000, '"', '" "', ",,,,", " " * 999]))
            parts[data.draw(st.integers(0, len(parts) - 1))] = value
            joined = ("," if "," in content else " ").join(parts)
            lines[number : number + 1] = data.draw(
                st.sampled_from([[joined], [], [joined, lines[number]]])
            )
            lines = lines or [""]
        return "\n".join(lines).encode("utf-8", "surrogatepass")

    @contextmanager
    def refusal(self, *names: str) -> Iterator[None]:
        """Allow an ``RvosError`` that names one of the files; nothing else."""
        try:
            with _patience():
                yield
        except RvosError as error:
            message = str(error)
            assert any(name in message for name in names), message[:LONGEST_MESSAGE]
            assert len(message) <= LONGEST_MESSAGE
            assert message.count("\n") <= 1
            # The cause alone is no message: it says what to do as well.
            assert any(mark in message for mark in (": ", "; "))


@contextmanager
def _patience() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        message = f"no end after {PATIENCE_SECONDS} s"
        raise AssertionError(message)

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="session")
def fuzzer() -> Fuzzer:
    return Fuzzer()


@pytest.fixture(scope="module", autouse=True)
def _bounded_memory() -> Iterator[None]:
    """Whatever the files claim, the memory of all examples stays small."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    assert grown < MOST_GROWTH_MIB


@pytest.fixture(scope="session")
def sound_tree(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Unpack the small tree of a benchmark into a folder that the caller may change."""
    import zipfile

    archives = Path(__file__).parents[1] / "datasets" / "data"

    def unpack(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        with zipfile.ZipFile(archives / f"{name}.zip") as archive:
            archive.extractall(folder)
        return folder / name

    return unpack
