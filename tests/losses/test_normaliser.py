import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from rvos.losses import SetCriterion
from rvos.losses.normaliser import mean_over_ranks
from rvos.structures import AuxiliarySegmentationOutput, ClipTargets, SegmentationOutput


def test_alone_the_counts_stay_but_for_none() -> None:
    assert mean_over_ranks(torch.tensor([3, 0])).tolist() == [3.0, 1.0]
    assert mean_over_ranks(torch.tensor([0.25]), minimum=0.5).tolist() == [0.5]


def run_rank(rank: int, store: Path, sender: Connection, compute: Callable[[int], Tensor]) -> None:
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    sender.send(compute(rank).item())
    dist.destroy_process_group()


def on_two_ranks(store: Path, compute: Callable[[int], Tensor]) -> list[float]:
    # Forked, because the tests cannot be imported by a fresh process.
    context = multiprocessing.get_context("fork")
    ranks = []
    for rank in range(2):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=run_rank, args=(rank, store, sender, compute))
        process.start()
        ranks.append((process, receiver))
    values = []
    for process, receiver in ranks:
        assert receiver.poll(60), "a rank gave no answer"
        values.append(receiver.recv())
        process.join(60)
        assert process.exitcode == 0
    return values


@pytest.mark.skipif(not dist.is_gloo_available(), reason="torch was built without gloo")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_uneven_ranks_average_to_the_loss_of_the_whole_batch(
    tmp_path: Path,
    make_output: Callable[..., AuxiliarySegmentationOutput],
    make_targets: Callable[..., ClipTargets],
    valid_pixels: Tensor,
) -> None:
    output = make_output(2)
    clips = [make_targets(2, [True, True]), make_targets(1, [True], seed=1)]
    criterion = SetCriterion(target_tracks="referred")

    def loss_of(part: slice) -> Tensor:
        some = SegmentationOutput(
            output.pred_logits[part], output.pred_boxes[part], output.pred_masks[part]
        )
        total: Tensor = criterion(some, clips[part], valid_pixels[part]).total
        return total.detach()

    def loss_of_rank(rank: int) -> Tensor:
        return loss_of(slice(rank, rank + 1))

    values = on_two_ranks(tmp_path / "store", loss_of_rank)
    assert sum(values) / 2 == pytest.approx(loss_of(slice(None)).item(), rel=1e-5)
    # Each rank alone would divide by its own count and give something else.
    assert values[0] != pytest.approx(loss_of_rank(0).item(), rel=1e-2)
