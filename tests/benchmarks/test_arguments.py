"""What users may type."""

import argparse

import pytest

from rvos.benchmarks.arguments import names, positive, size, whole


@pytest.mark.parametrize(
    ("read", "text"),
    [(positive, "0"), (positive, "x"), (whole, "-1"), (size, "48"), (size, "0x64"), (size, "4 x4")],
)
def test_what_is_no_number_is_refused(read: object, text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=repr(text)):
        read(text)  # type: ignore[operator]


def test_names_may_have_blanks_around_them() -> None:
    assert names("a, b,,") == ("a", "b")
    assert names("") == ()
