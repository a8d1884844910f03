import os
import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.errors import DatasetNotFoundError, MalformedAnnotationError
from rvos.datasets.plain_pickle import read_plain_pickle

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


class Payload:
    """What an attacker would send: loading it runs a command."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


@given(value=PLAIN, protocol=st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_plain_values_come_back(
    value: Any, protocol: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("pickle") / "refs.p"
    path.write_bytes(pickle.dumps(value, protocol))
    assert read_plain_pickle(path, "RefCOCO") == value


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_code_is_not_run(tmp_path: Path, protocol: int) -> None:
    trace = tmp_path / "executed"
    path = tmp_path / "refs(unc).p"
    payload = [{"ref_id": 1}, Payload(os.mkdir, str(trace))]
    path.write_bytes(pickle.dumps(payload, protocol))
    with pytest.raises(MalformedAnnotationError, match=r"refused because it could run code"):
        read_plain_pickle(path, "RefCOCO")
    assert not trace.exists()
    pickle.loads(path.read_bytes())
    assert trace.exists(), "the payload works, so the test can fail"


@pytest.mark.parametrize("value", [Path("a"), np.float32(1), {1}.__class__, print, Payload])
def test_every_class_and_function_is_refused(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "refs.p"
    path.write_bytes(pickle.dumps([value], 2))
    with pytest.raises(MalformedAnnotationError):
        read_plain_pickle(path, "RefCOCO")


@given(content=st.binary(max_size=60))
def test_any_bytes_give_a_value_or_the_error(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("pickle") / "refs.p"
    path.write_bytes(content)
    with suppress(MalformedAnnotationError):
        read_plain_pickle(path, "RefCOCO")


def test_text_of_python_2_is_read(tmp_path: Path) -> None:
    path = tmp_path / "refs.p"
    path.write_bytes(b"(lp0\n(dp1\nS'sent'\np2\nS'left caf\\xc3\\xa9'\np3\nsa.")
    assert read_plain_pickle(path, "RefCOCO") == [{"sent": "left caf\u00e9"}]


def test_missing_file_names_the_benchmark(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match="RefCOCO"):
        read_plain_pickle(tmp_path / "refs.p", "RefCOCO")
