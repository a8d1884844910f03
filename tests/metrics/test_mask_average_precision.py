from typing import Any

import pytest
import torch

from rvos.metrics import MaskAveragePrecision


def square(top: int, size: int = 10) -> torch.Tensor:
    mask = torch.zeros(60, 60, dtype=torch.bool)
    mask[top : top + size, 5 : 5 + size] = True
    return mask


@pytest.mark.parity
def test_equals_the_official_values(golden_a2d: Any) -> None:
    metric = MaskAveragePrecision()
    for sample in golden_a2d.samples:
        masks, scores = sample.pred_masks, sample.scores
        metric.update([masks], [scores], [sample.target], [sample.sample_id])
    found = {name: value.item() for name, value in metric.compute().as_log_dict().items()}
    assert found == pytest.approx({name: golden_a2d.overall[name] for name in found}, abs=1e-12)


@pytest.mark.parity
def test_equals_the_official_values_of_best_predictions_only(golden_a2d: Any) -> None:
    metric = MaskAveragePrecision()
    for sample in golden_a2d.samples:
        best = sample.scores.max(dim=0, keepdim=True).values
        metric.update([sample.best[None]], [best], [sample.target], [sample.sample_id])
    found = metric.compute().mean_ap.item()
    assert found == pytest.approx(golden_a2d.top1["mAP 0.5:0.95"], abs=1e-12)


def test_batches_order_and_repeated_samples_do_not_matter(golden_a2d: Any) -> None:
    def score(indices: list[int], batch_size: int) -> dict[str, torch.Tensor]:
        metric = MaskAveragePrecision()
        for start in range(0, len(indices), batch_size):
            batch = [golden_a2d.samples[i] for i in indices[start : start + batch_size]]
            metric.update(
                [sample.pred_masks for sample in batch],
                [sample.scores for sample in batch],
                [sample.target for sample in batch],
                [sample.sample_id for sample in batch],
            )
        return metric.compute().as_log_dict()

    expected = score(list(range(12)), 1)
    assert score(list(range(12))[::-1], 5) == expected
    assert score([*range(12), 0, 1, 2], 4) == expected


def test_worse_scored_mistakes_cost_nothing() -> None:
    def score(wrong: float) -> float:
        metric = MaskAveragePrecision()
        masks, scores = torch.stack([square(5), square(30)]), torch.tensor([0.5, wrong])
        metric.update([masks], [scores], [square(5)], ["clip"])
        return metric.compute().mean_ap.item()

    assert score(0.4) == pytest.approx(1)
    assert score(0.6) == pytest.approx(0.5)


def test_sizes_without_target_are_minus_one() -> None:
    metric = MaskAveragePrecision()
    metric.update([square(5, 40)[None]], [torch.ones(1)], [square(5, 40)], ["clip"])
    result = metric.compute()
    assert result.mean_ap_medium.item() == pytest.approx(1)
    assert result.mean_ap_small.item() == result.mean_ap_large.item() == -1


def test_a_sample_without_prediction_is_a_miss() -> None:
    metric = MaskAveragePrecision()
    nothing = torch.zeros(0, 60, 60, dtype=torch.bool)
    metric.update(
        [square(5)[None], nothing],
        [torch.ones(1), torch.zeros(0)],
        [square(5), square(5)],
        ["found", "missed"],
    )
    assert metric.compute().mean_ap.item() == pytest.approx(51 / 101)  # 101 recall points


@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric")
def test_without_samples_it_is_minus_one() -> None:
    assert MaskAveragePrecision().compute().mean_ap.item() == -1


def test_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    metric = MaskAveragePrecision()
    metric.update([square(5)[None]], [torch.ones(1)], [square(5)], ["clip"])
    metric.compute()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("scores", "target", "names", "message"),
    [
        (torch.ones(2), square(5), ["clip"], "scores"),
        (torch.ones(1), square(5)[:10], ["clip"], "'clip'"),
        (torch.ones(1), square(5), [], "one entry per sample id"),
    ],
)
def test_what_does_not_fit_is_refused(
    scores: torch.Tensor, target: torch.Tensor, names: list[str], message: str
) -> None:
    metric = MaskAveragePrecision()
    with pytest.raises(ValueError, match=message):
        metric.update([square(5)[None]], [scores], [target], names)
    assert metric.payload == []
