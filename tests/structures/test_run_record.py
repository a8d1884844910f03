import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.structures.process_identity import ProcessIdentity
from rvos.structures.run_record import (
    RUN_RECORD_SCHEMA,
    BestCheckpoint,
    GitState,
    RunEnvironment,
    RunRecord,
    RunRecordError,
    parse_run_record,
)

RECORD = RunRecord(
    name="referdino_tiny_mevis",
    version="version_3",
    verb="fit",
    state="failed",
    command=["rvos", "fit", "-c", "größe.yaml"],
    started="2026-01-02T03:04:05+00:00",
    updated="2026-01-02T03:05:05+00:00",
    process=ProcessIdentity("node1", "boot/1", 12, 34),
    environment=RunEnvironment("Linux", "3.11.7", "EPYC", 2, ["H100, 80 GiB"], None, 4, 2, {}),
    seed=42,
    error="OSError: no space",
    step=7,
    max_epochs=3,
    best=BestCheckpoint("val/J&F", "max", 0.5, "checkpoints/best.ckpt"),
    metrics={"val/J&F": 0.25, "val/F": None},
    git=GitState("0123abcd", None, is_dirty=True),
    packages={"torch": "2.13.0"},
)


def test_record_comes_back_as_written() -> None:
    assert parse_run_record(RECORD.to_json()) == RECORD


def test_entries_of_later_versions_are_left_out_and_optional_ones_may_be_missing() -> None:
    content = json.loads(RECORD.to_json()) | {"colour": "red"}
    del content["packages"], content["best"]
    record = parse_run_record(json.dumps(content))
    assert record == dataclasses.replace(RECORD, packages={}, best=None)


@pytest.mark.parametrize(
    ("entry", "value", "complaint"),
    [
        ("step", "many", "'many' where a value of type int belongs at step"),
        ("step", True, "True where a value of type int belongs at step"),
        ("state", "asleep", "'asleep' where running or finished"),
        ("command", "rvos", "'rvos' where a list belongs at command"),
        ("command", [1], "1 where a value of type str belongs at command"),
        ("metrics", {"val/J": "x"}, "'x' where a number belongs at metrics.val/J"),
        ("process", {"host": "a"}, "has no entry process.machine"),
        ("git", [], "a list where an object belongs at git"),
        ("schema", RUN_RECORD_SCHEMA + 1, "of a newer rvos"),
    ],
)
def test_what_is_wrong_is_named(entry: str, value: object, complaint: str) -> None:
    content = json.loads(RECORD.to_json()) | {entry: value}
    with pytest.raises(RunRecordError) as caught:
        parse_run_record(json.dumps(content))
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(entry=st.sampled_from([field.name for field in dataclasses.fields(RunRecord)]), value=JSON)
def test_any_value_in_any_place_is_read_or_refused(entry: str, value: Any) -> None:
    content = json.loads(RECORD.to_json()) | {entry: value}
    try:
        record = parse_run_record(json.dumps(content))
    except RunRecordError:
        return
    assert isinstance(record, RunRecord)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(RunRecordError):
        parse_run_record(content)


@pytest.mark.parametrize("length", [0, 10, 400, -3])
def test_a_cut_file_is_refused(length: int) -> None:
    with pytest.raises(RunRecordError, match="is not JSON"):
        parse_run_record(RECORD.to_json()[:length])
