from pathlib import Path

import pytest
import torch
from lightning.pytorch import LightningModule
from torchmetrics import MeanMetric

from rvos.callbacks.prediction_files import PredictionWriteError
from rvos.callbacks.score_store import MetricRecorder, ScoreStore
from rvos.metrics import JAndF, MaskAveragePrecision


class Scored(LightningModule):
    """Two metrics of samples, one of them within another module, and one of another kind."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = torch.nn.ModuleDict({"j_and_f": JAndF()})
        self.precision = MaskAveragePrecision()
        self.loss = MeanMetric()

    def score(self, number: int) -> None:
        """Add a clip of its own size whose score depends on the number."""
        target = torch.zeros(2, 16 + number, 20, dtype=torch.bool)
        target[:, 4:12, 4:12] = True
        pred, name = target.roll(number, dims=2), [f"video{number}/0"]
        self.parts["j_and_f"].update([pred], [target], name, ["motion"])
        self.precision.update([pred[:1]], [torch.tensor([0.1 * number])], [target[0]], name)

    def numbers(self) -> list[str]:
        """All results to the last bit."""
        result = self.parts["j_and_f"].compute().as_log_dict()
        values = [*result.values(), self.precision.compute().mean_ap]
        return [value.item().hex() for value in values]


@pytest.mark.parametrize("num_kept", [0, 2, 4])
def test_kept_scores_and_new_ones_equal_an_unbroken_run(num_kept: int, tmp_path: Path) -> None:
    whole, first, second = Scored(), Scored(), Scored()
    store, recorder = ScoreStore(tmp_path), MetricRecorder(first)
    for number in range(num_kept):
        recorder.begin()
        first.score(number)
        rows = recorder.added()
        assert rows is not None
        assert set(rows) == {"parts.j_and_f", "precision"}
        store.keep(f"video{number}/0", rows)
    resumed = MetricRecorder(second)
    for number in reversed(range(4)):
        whole.score(number)
        assert store.holds(f"video{number}/0") == (number < num_kept)
        if number < num_kept:
            resumed.restore(f"video{number}/0", store.read(f"video{number}/0"))
        else:
            second.score(number)
    assert second.numbers() == whole.numbers()
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} <= {".npz"}


def test_a_metric_without_samples_cannot_be_kept() -> None:
    task = Scored()
    recorder = MetricRecorder(task)
    recorder.begin()
    task.loss.update(1.0)
    assert recorder.added() is None


def test_scores_of_another_metric_are_refused(tmp_path: Path) -> None:
    task, store = Scored(), ScoreStore(tmp_path)
    store.keep("video0/0", {"contours": {"sample_keys": torch.zeros(1)}})
    with pytest.raises(PredictionWriteError, match=r"another metric \(contours\); delete"):
        MetricRecorder(task).restore("video0/0", store.read("video0/0"))


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04"])
def test_a_damaged_file_is_a_clear_error(content: bytes, tmp_path: Path) -> None:
    store = ScoreStore(tmp_path)
    path = tmp_path / ".scores" / "video0" / "0.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(PredictionWriteError, match=r"0\.npz is damaged"):
        store.read("video0/0")
