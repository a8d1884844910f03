"""How loading is shown."""

import json

from rvos.benchmarks.dataloading import DataLoadingReport, DataLoadingRequest, LoadingTimes
from rvos.benchmarks.dataloading_table import (
    dataloading_as_json,
    dataloading_headline,
    format_dataloading,
)
from rvos.benchmarks.index_memory import IndexMemory

REPORT = DataLoadingReport(
    DataLoadingRequest(num_workers=(0, 3)),
    num_clips=40,
    times={
        0: LoadingTimes([1.0, 2.0, 3.0], [2.0, 4.0, 5.0], [0, 0, 0]),
        3: LoadingTimes([2.0, 2.0, 2.0], [10.0, 9.0, 12.0], [90_000_000] * 3),
    },
    stages={"read frames": [0.1, 0.3, 0.2], "collate": [0.6, 0.6, 0.6]},
    memory={
        "rvos": IndexMemory(1.0, 200_000_000, 1_500_000, 300_000_000),
        "plain": IndexMemory(2.0, 400_000_000, 300_000_000, 900_000_000),
    },
)


def test_ratios_are_to_the_first_number_of_workers() -> None:
    times, stages, memory = format_dataloading(REPORT).split("\n\n")
    assert times.splitlines()[1].split() == ["0", "4.0", "2.0", "5.0", "1.00", "2.00", "s", "-"]
    assert times.splitlines()[2].split() == ["3", "10.0", "9.0", "12.0", "2.50", "2.00", "s", "90"]
    assert stages.splitlines()[1].split()[-4:] == ["200.0", "100.0", "300.0", "25.0%"]
    assert memory.splitlines()[0].startswith("index, 3 workers")
    assert memory.splitlines()[2].split() == ["plain", "2.0", "400", "300.0", "900"]


def test_columns_are_aligned() -> None:
    for table in format_dataloading(REPORT).split("\n\n"):
        assert len({len(line) for line in table.splitlines()}) == 1


def test_json_keeps_every_repeat() -> None:
    content = json.loads(json.dumps(dataloading_as_json(REPORT, "mevis in data")))
    assert content["source"] == "mevis in data"
    assert content["loading"]["3"]["clips_per_second"] == [10, 9, 12]
    assert content["index"]["plain"]["copied"] == 300_000_000
    assert content["seconds_per_clip"]["collate"] == [0.6, 0.6, 0.6]


def test_the_headline_names_what_is_measured() -> None:
    line = dataloading_headline(DataLoadingRequest(num_batches=7), "mevis in data")
    assert line.startswith("mevis in data; 7 batches of 2 training clips")
