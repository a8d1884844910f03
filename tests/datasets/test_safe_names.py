from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.safe_names import UnsafeNameError, check_name, is_plain_name


@given(st.text(max_size=40))
def test_plain_name_is_a_direct_child_of_its_parent(name: str) -> None:
    parent = Path("/data/benchmark")
    if is_plain_name(name):
        assert Path(parent, name).parent == parent
        assert Path(parent, name).resolve().parent == parent


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/../b", "/etc/passwd", "a\\b", "C:x", "a\0b", "a\nb", "x" * 256],
)
def test_name_that_leads_elsewhere_is_refused(name: str) -> None:
    assert not is_plain_name(name)
    with pytest.raises(UnsafeNameError, match=r"^meta\.json names .*restore the file"):
        check_name(name, Path("meta.json"))


@pytest.mark.parametrize("name", ["00005", "-0djE279Srg", "a b", "bike-packing", "clip_1.avi"])
def test_names_of_the_benchmarks_are_plain(name: str) -> None:
    assert check_name(name, Path("meta.json")) == name
