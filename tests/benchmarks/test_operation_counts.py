"""Counts equal those made by hand."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rvos.benchmarks.operation_counts import TOTAL, OperationCounter, count_operations
from rvos.layers.onednn_linear import OneDNNLinear


@pytest.mark.parametrize("layer", [nn.Linear(6, 10), OneDNNLinear(6, 10)])
@pytest.mark.parametrize("rows", [3, 200])
def test_a_linear_layer_is_two_operations_per_weight_and_row(layer: nn.Linear, rows: int) -> None:
    counts = count_operations(lambda: layer(torch.zeros(rows, 6)), {"layer": layer})
    assert counts["layer"].flops == 2 * rows * 6 * 10
    assert counts[TOTAL].flops == counts["layer"].flops


def test_bytes_of_a_linear_layer_are_its_input_weights_and_output() -> None:
    layer = nn.Linear(6, 10)
    counts = count_operations(lambda: layer(torch.zeros(3, 6)), {"layer": layer})
    assert counts["layer"].num_bytes == 4 * (3 * 6 + 6 * 10 + 10 + 3 * 10)
    # The zeros are written outside of the layer.
    assert counts[TOTAL].num_bytes == counts["layer"].num_bytes + 4 * 3 * 6


def test_parts_of_a_stage_add_up_and_the_rest_is_in_the_total() -> None:
    first, second, third = nn.Linear(4, 4), nn.Linear(4, 8), nn.Linear(8, 2)
    stages = {"both": [first, second], "never": nn.Linear(2, 2)}
    counts = count_operations(lambda: third(second(first(torch.zeros(5, 4)))), stages)
    assert counts["both"].flops == 2 * 5 * (4 * 4 + 4 * 8)
    assert counts["never"].flops == counts["never"].num_bytes == 0
    assert counts[TOTAL].flops - counts["both"].flops == 2 * 5 * 8 * 2


def test_a_convolution_counts_every_tap() -> None:
    layer = nn.Conv2d(3, 5, 3, padding=1, bias=False)
    counts = count_operations(lambda: layer(torch.zeros(2, 3, 4, 6)), {"layer": layer})
    assert counts["layer"].flops == 2 * (2 * 5 * 4 * 6) * (3 * 3 * 3)


def count_flops(run: object) -> int:
    with torch.no_grad(), OperationCounter() as counter:  # type: ignore[no-untyped-call]
        run()  # type: ignore[operator]
    return int(counter.flops)


def test_sampling_and_its_sum_as_a_bag_are_of_one_size() -> None:
    # 7 places with 4 corners each, 3 channels; grid_sample also weighs, a bag also adds up.
    grid = torch.zeros(1, 1, 7, 2)
    sampled = count_flops(lambda: F.grid_sample(torch.ones(1, 3, 5, 5), grid, align_corners=False))
    rows, shares = torch.zeros(1, 28, dtype=torch.long), torch.ones(1, 28)
    table = torch.ones(25, 3)
    summed = count_flops(
        lambda: F.embedding_bag(rows, table, mode="sum", per_sample_weights=shares)
    )
    assert sampled == summed == 7 * 4 * 2 * 3


def test_fused_attention_is_its_two_products() -> None:
    query, key = torch.zeros(2, 4, 5, 8), torch.zeros(2, 4, 7, 8)
    flops = count_flops(lambda: F.scaled_dot_product_attention(query, key, key))
    assert flops == 2 * (2 * 4 * 5 * 7 * 8) * 2


def test_views_move_nothing_and_expanded_memory_is_read_once() -> None:
    values = torch.ones(1, 6)
    with torch.no_grad(), OperationCounter() as counter:  # type: ignore[no-untyped-call]
        expanded = values.expand(10, 6).transpose(0, 1)[:, :5]
        assert counter.num_bytes == 0
        expanded.sum()
    assert counter.num_bytes == 4 * 6 + 4
