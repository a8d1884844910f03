import json

from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.checking import CheckReport, Finding, SplitRow

NAMES = st.sampled_from(["videos", "expressions", "frames", "objects"])
ROWS = st.lists(
    st.builds(
        SplitRow,
        st.sampled_from(["train", "valid_u"]),
        st.dictionaries(NAMES, st.integers(0, 10**6)),
        st.sampled_from(["unknown", "-", "version 1"]),
    ),
    max_size=4,
)


@given(ROWS)
def test_table_is_aligned_and_holds_every_number(rows: list[SplitRow]) -> None:
    report = CheckReport("mevis", "data", False, rows, (), ())
    lines = report.summary()
    assert len(lines) == len(rows) + 1
    start = lines[0].index("release")
    for row, line in zip(rows, lines[1:], strict=True):
        assert line[start:] == row.release
        assert all(f"{number:,}" in line for number in row.counts.values())


def test_many_findings_are_cut_on_the_screen_only() -> None:
    faults = [Finding(f"{k}.jpg", f"{k}.jpg is missing: unpack") for k in range(60)]
    report = CheckReport("mevis", "data", True, (), faults, faults[:1])
    lines = report.lines()
    assert len(lines) == 1 + 50 + 1
    assert lines[-1] == "fault: and 10 more; --report FILE writes all of them"
    content = json.loads(json.dumps(report.as_json()))
    assert len(content["faults"]) == 60
    assert content["faults"][3] == {"file": "3.jpg", "message": "3.jpg is missing: unpack"}
    assert report.verdict() == "mevis in data: 60 faults, 1 warning (every file decoded)"
