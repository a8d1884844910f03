from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.preparation.journal import Journal, journal_path


@given(cut=st.integers(0, 400), more=st.dictionaries(st.text(), st.integers(), max_size=3))
def test_what_was_finished_before_a_kill_is_kept(
    cut: int, more: dict[str, int], tmp_path_factory: object
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal"  # type: ignore[attr-defined]
    content = {f"sample {k}": {"area": k, "text": "\u00e9\n"} for k in range(8)}
    with Journal(path, "inputs").writing() as journal:
        for key, value in content.items():
            journal.add(key, value)
    path.write_bytes(path.read_bytes()[:cut])
    kept = Journal(path, "inputs").done
    assert list(kept.items()) == list(content.items())[: len(kept)]
    if cut == 400:
        assert len(kept) >= 7
    with Journal(path, "inputs").writing() as journal:
        for key, value in more.items():
            journal.add(key, value)
    assert Journal(path, "inputs").done == kept | more


def test_results_of_other_inputs_are_dropped(tmp_path: Path) -> None:
    path = journal_path(tmp_path / "gt.json", tmp_path)
    with Journal(path, "old").writing() as journal:
        journal.add("a", 1)
    assert Journal(path, "new").done == {}
    with Journal(path, "new").writing() as journal:
        journal.add("b", 2)
    assert Journal(path, "old").done == {}
    journal.discard()
    assert not path.exists()
