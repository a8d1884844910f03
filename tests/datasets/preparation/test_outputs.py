import json
from pathlib import Path

import pytest

from rvos.datasets.preparation.outputs import PreparationError, PreparedFolder, fingerprint


def test_own_output_is_replaced_when_the_inputs_change(tmp_path: Path) -> None:
    path = tmp_path / "a" / "out.json"
    PreparedFolder(tmp_path).write(path, {"a": 1}, "one")
    again = PreparedFolder(tmp_path)
    assert again.is_current(path, "one")
    assert again.is_ours(path)
    assert not again.is_current(path, "two")
    again.write(path, {"a": 2}, "two")
    assert json.loads(path.read_text()) == {"a": 2}
    assert again.results == {"a/out.json": "written"}


def test_output_that_the_user_changed_is_the_users(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    PreparedFolder(tmp_path).write(path, {"a": 1}, "one")
    path.write_text('{"a": 3}')
    folder = PreparedFolder(tmp_path)
    assert not folder.is_current(path, "one")
    assert not folder.is_ours(path)
    with pytest.raises(PreparationError, match="--overwrite"):
        folder.write(path, {"a": 1}, "one")
    PreparedFolder(tmp_path, overwrite=True).write(path, {"a": 1}, "one")
    assert json.loads(path.read_text()) == {"a": 1}


def test_fingerprint_sees_size_time_and_values(tmp_path: Path) -> None:
    path = tmp_path / "in"
    seen = {fingerprint([path])}
    path.write_text("a")
    seen |= {fingerprint([path]), fingerprint([path], 1), fingerprint([path], 2)}
    path.write_text("ab")
    seen.add(fingerprint([path]))
    assert len(seen) == 5
    assert fingerprint([path]) == fingerprint([path])
