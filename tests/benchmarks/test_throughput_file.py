"""Figures in files, and against earlier ones."""

import json
from pathlib import Path

import pytest
import torch

from rvos.benchmarks.environment import describe_environment
from rvos.benchmarks.operation_counts import TOTAL, OperationCount
from rvos.benchmarks.throughput_file import (
    EarlierRunError,
    comparison_table,
    read_earlier,
    report_as_json,
)
from rvos.benchmarks.throughput_report import (
    LEVERS_OFF,
    RVOS,
    STOCK,
    ThroughputReport,
    ThroughputRequest,
)

REQUEST = ThroughputRequest(num_frames=10, num_expressions=(2,))


def make_report(factor: float = 1.0) -> ThroughputReport:
    ways = {RVOS: [0.5, 1.0], LEVERS_OFF: [1.0, 1.0], STOCK: [1.0, 3.0]}
    stages = {"backbone": [1.0, 2.0], "fusion encoder": [2.0, 2.0]}
    slow = {"backbone": [1.0, 2.0], "fusion encoder": [3.0, 3.0]}
    return ThroughputReport(
        REQUEST,
        ["a"],
        {2: {way: [factor * value for value in seconds] for way, seconds in ways.items()}},
        {RVOS: stages, LEVERS_OFF: slow, STOCK: stages},
        {way: {TOTAL: OperationCount(1e9, 1e9)} for way in ways},
        {},
        {"float32": [1e9]},
    )


def write(path: Path, factor: float = 1.0) -> Path:
    environment = describe_environment(torch.device("cpu"))
    path.write_text(json.dumps(report_as_json(make_report(factor), "tiny", environment)))
    return path


def test_json_keeps_every_repeat_and_the_verdicts(tmp_path: Path) -> None:
    content = json.loads(write(tmp_path / "a.json").read_text())
    assert content["model"] == "tiny"
    assert content["seconds"]["2"][RVOS] == [0.5, 1.0]
    assert content["ratios"]["2"] == {LEVERS_OFF: [2.0, 1.0], STOCK: [2.0, 3.0]}
    assert content["guard"]["backbone"] == {"ratios": [1.0, 1.0], "ok": True}
    assert content["guard"]["fusion encoder"] == {"ratios": [1.5, 1.5], "ok": False}
    assert content["flops_per_second"][RVOS] == 1e9 / 0.75
    assert content["environment"]["torch"] == torch.__version__


def test_a_run_is_compared_with_an_earlier_one(tmp_path: Path) -> None:
    earlier = read_earlier(write(tmp_path / "a.json", factor=2.0), "tiny", REQUEST)
    table = comparison_table(make_report(), earlier)
    assert table.rows[0] == ["2 expressions, rvos", "150.0", "75.0", "2.00"]
    report = make_report()
    report.seconds = {3: report.seconds[2]}
    assert comparison_table(report, earlier).rows == []


@pytest.mark.parametrize(
    ("model", "request_now"),
    [("swin_tiny", REQUEST), ("tiny", ThroughputRequest()), ("tiny", ThroughputRequest(10, 64))],
)
def test_another_model_or_clip_is_not_compared(
    model: str, request_now: ThroughputRequest, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.json")
    with pytest.raises(EarlierRunError, match="it measured tiny on 10 frames of 128x192"):
        read_earlier(path, model, request_now)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"model": "tiny", "request": 3}'])
def test_another_file_is_not_compared(content: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(EarlierRunError, match="is not what"):
        read_earlier(path, "tiny", REQUEST)
