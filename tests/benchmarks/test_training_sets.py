"""Every benchmark's training clips can be measured."""

from pathlib import Path
from typing import Any, get_args

import pytest

from rvos.benchmarks.training_sets import BenchmarkName, open_plainly, open_training_set
from rvos.datasets.errors import DatasetNotFoundError
from rvos.datasets.moving_shapes.writer import write_moving_shapes

NUM_FILES = {"ref_davis17": 2, "a2d_sentences": 1, "refcoco": 3}


@pytest.mark.parametrize("benchmark", NUM_FILES)
def test_prepared_benchmarks_open(benchmark: Any, request: pytest.FixtureRequest) -> None:
    root = request.getfixturevalue(f"{benchmark}_root")
    dataset = open_training_set(benchmark, root)
    assert dataset[0].frames.ndim == 4
    assert len(open_plainly(benchmark, root)) == NUM_FILES[benchmark]


@pytest.mark.parametrize("benchmark", ["mevis", "ref_youtube_vos"])
def test_moving_shapes_opens(benchmark: Any, tmp_path: Path) -> None:
    write_moving_shapes(tmp_path, layout=benchmark, num_videos=1, progress=False)
    assert len(open_training_set(benchmark, tmp_path)) > 0
    first, second = open_plainly(benchmark, tmp_path)
    assert list(first) == ["videos"]
    assert len(second) > 0


@pytest.mark.parametrize("benchmark", get_args(BenchmarkName))
def test_missing_data_is_named(benchmark: Any, tmp_path: Path) -> None:
    assert open_plainly(benchmark, tmp_path) == []
    with pytest.raises(DatasetNotFoundError, match="is missing"):
        open_training_set(benchmark, tmp_path)
