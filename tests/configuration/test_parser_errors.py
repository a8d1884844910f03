"""Reports as the parser writes them; tests/test_lightning_cli.py has those that it really makes."""

from pathlib import Path

import pytest

from rvos.configuration import find_broken_file, summarize_parser_error, told_to_user
from rvos.structures.errors import RvosError


def test_report_without_a_known_form_stays_readable() -> None:
    message = 'Parser key "model":\n  Does not validate against any\n  - Expected a str'
    assert summarize_parser_error(message) == "model: Expected a str"


@pytest.mark.parametrize("text", ["model: {a: [", b"\xff\xfe\x00"])
def test_file_that_is_no_yaml_is_found(text: str | bytes, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("a: 1")
    bad.write_bytes(text.encode() if isinstance(text, str) else text)
    assert find_broken_file(["fit", "-c", str(good)]) is None
    assert find_broken_file(["fit", "-c", str(good), "--config", str(bad)]) == str(bad)


def test_error_for_the_user_is_found_below_others() -> None:
    told = RvosError("the data are on the moon")
    outer = ValueError("Parser key model")
    outer.__cause__ = told
    assert told_to_user(outer) is told
    assert told_to_user(None) is None
