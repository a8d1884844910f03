import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torchmetrics import MetricCollection

from rvos.metrics import JAndF
from rvos.metrics.functional import contour_accuracy, region_similarity


def random_clip(seed: int, num_frames: int = 3, height: int = 12, width: int = 17) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(num_frames, height, width, generator=generator) < 0.4


def update(metric: JAndF, seeds: list[int], **options: Any) -> None:
    metric.update(
        [random_clip(2 * seed, num_frames=1 + seed % 4) for seed in seeds],
        [random_clip(2 * seed + 1, num_frames=1 + seed % 4) for seed in seeds],
        [f"clip{seed}" for seed in seeds],
        **options,
    )


def test_averages_frames_then_expressions() -> None:
    metric = JAndF()
    update(metric, [0, 1, 2, 3])
    result = metric.compute()
    expected = [
        [
            function(random_clip(2 * seed, 1 + seed % 4), random_clip(2 * seed + 1, 1 + seed % 4))
            .mean()
            .item()
            for seed in range(4)
        ]
        for function in (region_similarity, contour_accuracy)
    ]
    assert result.overall.j.item() == pytest.approx(math.fsum(expected[0]) / 4, abs=1e-15)
    assert result.overall.f.item() == pytest.approx(math.fsum(expected[1]) / 4, abs=1e-15)
    assert result.overall.j_and_f == (result.overall.j + result.overall.f) / 2
    assert result.overall.num_expressions == 4
    assert result.per_kind == {}


@given(st.permutations(range(5)), st.integers(1, 5))
def test_order_batches_and_repetitions_do_not_change_a_bit(order: list[int], batch: int) -> None:
    reference, metric = JAndF(), JAndF()
    update(reference, list(range(5)), kinds=["a", "b", "a", "b", "b"])
    for start in range(0, 5, batch):
        seeds = order[start : start + batch]
        update(metric, seeds, kinds=["ab"[seed in (1, 3, 4)] for seed in seeds])
    update(metric, [0], kinds=["a"])
    assert metric.compute().as_log_dict() == reference.compute().as_log_dict()


def test_kinds_are_separate_means_and_unknown_counts_overall_only() -> None:
    target = random_clip(0)
    metric = JAndF()
    metric.update(
        [target, ~target, target, target & ~target],
        [target] * 4,
        ["a", "b", "c", "d"],
        kinds=["still", "moving", "", "moving"],
    )
    result = metric.compute()
    assert list(result.per_kind) == ["moving", "still"]
    assert result.per_kind["still"].j.item() == 1
    assert result.per_kind["moving"].j.item() == 0
    assert result.per_kind["moving"].num_expressions == 2
    assert result.overall.j.item() == 0.5
    names = ["J", "F", "J&F"]
    assert list(result.as_log_dict("test/")) == [
        f"test/{name}{suffix}" for suffix in ("", "/moving", "/still") for name in names
    ]


def test_one_tensor_equals_a_list_of_clips() -> None:
    pred, target = (
        torch.stack([random_clip(0), random_clip(1)]),
        random_clip(2).expand(2, -1, -1, -1),
    )
    together, listed = JAndF(), JAndF()
    together.update(pred, target, ["a", "b"], void=pred & target)
    listed.update(list(pred), list(target), ["a", "b"], void=list(pred & target))
    assert together.compute() == listed.compute()
    assert together.compute().overall.j.item() == 0  # the void took every hit


def test_no_target_expression_scores_one_only_for_an_empty_prediction() -> None:
    nothing, something = torch.zeros(2, 9, 9, dtype=torch.bool), random_clip(0, 2, 9, 9)
    metric = JAndF()
    metric.update([nothing], [nothing], ["right"], ["right"])
    metric.update([something], [nothing], ["wrong"], ["wrong"])
    result = metric.compute()
    assert result.per_kind["right"].j_and_f.item() == 1
    assert result.per_kind["wrong"].j_and_f.item() == 0


def test_bound_th_reaches_the_contour_accuracy() -> None:
    target = torch.zeros(1, 40, 40, dtype=torch.bool)
    target[:, 10:20, 10:20] = True
    narrow, wide = JAndF(), JAndF(bound_th=3)
    for metric in (narrow, wide):
        metric.update([target.roll(3, dims=2)], [target], ["clip"])
    assert narrow.compute().overall.f < wide.compute().overall.f
    assert wide.compute().overall.f.item() == 1


def test_forward_returns_the_batch_and_keeps_the_whole() -> None:
    metric = JAndF()
    target = random_clip(0)
    assert metric([target], [target], ["a"]).overall.j.item() == 1
    assert metric([~target], [target], ["b"]).overall.j.item() == 0
    assert metric.compute().overall.j.item() == 0.5


def test_works_in_a_collection_and_after_reset() -> None:
    collection = MetricCollection({"scores": JAndF()})
    target = random_clip(0)
    collection.update([target], [target], ["a"])
    assert collection.compute()["scores"].overall.num_expressions == 1
    collection.reset()
    collection.update([~target], [target], ["a"])
    assert collection.compute()["scores"].overall.j.item() == 0


@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric")
def test_without_expressions_the_scores_are_nan() -> None:
    result = JAndF().compute()
    assert result.overall.num_expressions == 0
    assert result.overall.j_and_f.isnan()


@pytest.mark.parametrize(
    ("pred", "target", "names", "kinds", "message"),
    [
        ([random_clip(0)], [random_clip(0)], ["a", "b"], None, "one entry per sample id"),
        ([random_clip(0)], [random_clip(0)], ["a"], ["x", "y"], "one entry per sample id"),
        ([random_clip(0)], [random_clip(0)], ["a"], ["x" * 33], "at most 32 bytes"),
        ([random_clip(0, 0)], [random_clip(0, 0)], ["a"], None, "at least one frame for 'a'"),
        ([random_clip(0)[0]], [random_clip(0)[0]], ["a"], None, "at least one frame for 'a'"),
    ],
)
def test_wrong_input_is_refused_and_leaves_nothing_behind(
    pred: list[Tensor],
    target: list[Tensor],
    names: list[str],
    kinds: list[str] | None,
    message: str,
) -> None:
    metric = JAndF()
    with pytest.raises(ValueError, match=message):
        metric.update(pred, target, names, kinds)
    assert metric.sample_keys == []
    assert metric.kind_names == []


def test_the_longest_kind_is_kept_whole() -> None:
    kind = "é" * 16
    metric = JAndF()
    update(metric, [0], kinds=[kind])
    assert list(metric.compute().per_kind) == [kind]


@pytest.mark.gpu
def test_a_gpu_gives_the_same_bits() -> None:
    on_cpu, on_gpu = JAndF(), JAndF().cuda()
    for seed in range(4):
        pred, target = random_clip(seed), random_clip(seed + 10)
        on_cpu.update([pred], [target], [str(seed)], ["kind"])
        on_gpu.update([pred.cuda()], [target.cuda()], [str(seed)], ["kind"])
    expected = on_cpu.compute().as_log_dict()
    assert {name: value.cpu() for name, value in on_gpu.compute().as_log_dict().items()} == expected
