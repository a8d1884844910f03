import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.metrics.per_sample import PerSampleMetric, sample_key

WORKER = Path(__file__).with_name("distributed_worker.py")
METRICS = [
    "j_and_f",
    "overall_iou",
    "mean_iou",
    "precision_at_k",
    "mask_average_precision",
    "no_target_accuracy",
    "sample_table",
    "unsupervised_j_and_f",
]


class Rows(PerSampleMetric):
    """The smallest metric: returns its unique rows."""

    def __init__(self) -> None:
        super().__init__(num_values=2)

    def update(self, sample_ids: list[str], values: list[list[float]]) -> None:
        rows = torch.tensor(values, dtype=torch.float64).reshape(-1, 2)
        self.append_samples(sample_ids, rows)

    def compute(self) -> list[list[float]]:
        return self.unique_samples()[1].tolist()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Run the worker in three processes and read what each of them computed."""
    folder = tmp_path_factory.mktemp("group")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    processes = [
        subprocess.Popen(
            [sys.executable, str(WORKER), str(rank), str(folder)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(3)
    ]
    try:
        for process in processes:
            output, _ = process.communicate(timeout=300)
            assert process.returncode == 0, output
    finally:
        for process in processes:
            process.kill()
    return [json.loads((folder / f"results{rank}.json").read_text()) for rank in range(3)]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("sharding", ["padded", "uneven", "idle"])
@pytest.mark.parametrize("world_size", [2, 3])
def test_any_number_of_processes_gives_the_same_bits(
    results: list[dict[str, Any]], metric: str, sharding: str, world_size: int
) -> None:
    for rank in range(world_size):
        found = results[rank][metric]
        assert found[f"{world_size} {sharding}"] == found["single"]


def test_the_compared_numbers_say_something(results: list[dict[str, Any]]) -> None:
    assert set(results[0]) == set(METRICS)
    for found in results[0].values():
        values = [
            float.fromhex(value) for name, value in found["single"].items() if name != "counts"
        ]
        assert all(0 < value < 1 for value in values)


def test_keys_are_stable_and_differ() -> None:
    # `printf video/0 | b2sum -l 64`, read as a signed number
    assert sample_key("video/0") == -5982363630723848822
    assert len({sample_key(f"video/{index}") for index in range(10_000)}) == 10_000


@given(st.permutations(range(6)), st.integers(1, 6))
def test_order_and_batch_size_do_not_matter(order: list[int], batch_size: int) -> None:
    def rows(indices: list[int]) -> list[list[float]]:
        metric = Rows()
        for start in range(0, len(indices), batch_size):
            batch = indices[start : start + batch_size]
            metric.update([f"clip{i}" for i in batch], [[i / 7, i / 3] for i in batch])
        return metric.compute()

    assert rows(order) == rows(list(range(6)))
    assert rows([*order, *order[:2]]) == rows(list(range(6)))


def test_a_sample_with_two_results_counts_once_and_warns() -> None:
    for values in ([[0.5, 0.1], [0.4, 0.9]], [[0.4, 0.9], [0.5, 0.1]]):
        metric = Rows()
        metric.update(["clip", "clip"], values)
        with pytest.warns(UserWarning, match="1 samples were scored again"):
            assert metric.compute() == [[0.4, 0.9]]


def test_no_samples_and_empty_batches() -> None:
    metric = Rows()
    metric.update([], [])
    assert metric.compute() == []
    metric.update(["clip"], [[0.5, 0.5]])
    assert metric.compute() == [[0.5, 0.5]]
    metric.reset()
    assert len(metric.unique_samples()[0]) == 0


@given(st.integers(0, 5), st.integers(0, 5))
def test_rows_taken_out_and_put_back_give_the_same_result(first: int, second: int) -> None:
    whole, part, resumed = Rows(), Rows(), Rows()
    for index in range(first + second):
        whole.update([f"clip{index}"], [[index / 7, index / 3]])
        if index >= first:
            resumed.update([f"clip{index}"], [[index / 7, index / 3]])
            continue
        before = part.num_updates
        part.update([f"clip{index}"], [[index / 7, index / 3]])
        resumed.restore_rows(part.rows_since(before))
    if first + second:
        assert resumed.compute() == whole.compute()
        assert resumed.num_updates == first + second


def test_a_computed_result_is_out_of_date_after_rows_are_put_back() -> None:
    metric, other = Rows(), Rows()
    metric.update(["a"], [[1, 2]])
    other.update(["b"], [[3, 4]])
    assert metric.compute() == [[1, 2]]
    metric.restore_rows(other.rows_since(0))
    assert sorted(metric.compute()) == [[1, 2], [3, 4]]


def test_rows_point_into_the_states() -> None:
    metric = Rows()
    metric.update(["b", "a", "b"], [[2, 2], [1, 1], [2, 2]])
    order, values = metric.unique_samples()
    states = np.array([[2, 2], [1, 1], [2, 2]])
    assert sorted(states[order].tolist()) == sorted(values.tolist()) == [[1, 1], [2, 2]]


def test_empty_states_fit_the_real_ones() -> None:
    metric = Rows()
    metric.update(["a"], [[1, 2]])
    for name, empty in metric.empty_states().items():
        (real,) = getattr(metric, name)
        assert empty.dtype == real.dtype
        assert empty.shape[1:] == real.shape[1:]
