"""One process of a small gloo group that scores its shard with every metric.

Started by ``test_per_sample.py`` as ``distributed_worker.py RANK FOLDER``. Rank 0 writes what a
single process, two and three processes compute, every number to its last bit.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor
from torchmetrics import Metric

from rvos.metrics import (
    JAndF,
    MaskAveragePrecision,
    MeanIoU,
    NoTargetAccuracy,
    OverallIoU,
    PrecisionAtK,
    UnsupervisedJAndF,
)
from rvos.metrics.sample_table import SampleTable

NUM_SAMPLES = 7
KINDS = ["appearance", "motion", ""]


@dataclass
class Sample:
    """One expression with a random prediction."""

    sample_id: str
    kind: str
    pred: Tensor
    target: Tensor


def make_samples() -> list[Sample]:
    """Draw clips of different length and size, the same in every process."""
    generator = torch.Generator().manual_seed(0)
    samples = []
    for index in range(NUM_SAMPLES):
        size = (1 + index % 3, 20 + index, 33 - index)
        target = torch.rand(size, generator=generator) < 0.3
        noise = torch.rand(size, generator=generator) < 0.05 * (index + 1)
        samples.append(Sample(f"video{index}/0", KINDS[index % 3], target ^ noise, target))
    return samples


def update_j_and_f(metric: Metric, samples: list[Sample]) -> None:
    metric.update(
        [sample.pred for sample in samples],
        [sample.target for sample in samples],
        [sample.sample_id for sample in samples],
        [sample.kind for sample in samples],
    )


def j_and_f_numbers(metric: Metric) -> dict[str, str]:
    result = metric.compute()
    counts = {kind: scores.num_expressions for kind, scores in result.per_kind.items()}
    flat = {name: value.item().hex() for name, value in result.as_log_dict().items()}
    return {**flat, "counts": str([result.overall.num_expressions, counts])}


def update_overlap(metric: Metric, samples: list[Sample]) -> None:
    metric.update(
        [sample.pred for sample in samples],
        [sample.target for sample in samples],
        [sample.sample_id for sample in samples],
    )


def update_average_precision(metric: Metric, samples: list[Sample]) -> None:
    """Submit every frame's prediction for the first frame, one score for all samples."""
    metric.update(
        [sample.pred for sample in samples],
        [torch.full((len(sample.pred),), 0.5) for sample in samples],
        [sample.target[0] for sample in samples],
        [sample.sample_id for sample in samples],
    )


def average_precision_numbers(metric: Metric) -> dict[str, str]:
    result = metric.compute()
    return {"mean_ap": result.mean_ap.item().hex(), "ap_50": result.ap_50.item().hex()}


def update_table(metric: Metric, samples: list[Sample]) -> None:
    metric.update(
        [sample.sample_id for sample in samples],
        [{"share": sample.pred.double().mean().item()} for sample in samples],
        [sample.kind for sample in samples],
    )


def table_numbers(metric: Metric) -> dict[str, str]:
    return {
        f"{kind}/{row}": value.hex()
        for kind, columns in metric.compute().items()
        for row, value in enumerate(columns["share"].tolist())
    }


def update_no_target(metric: Metric, samples: list[Sample]) -> None:
    """Leave out every other prediction, and the targets of most samples."""
    positions = [int(sample.sample_id[5]) for sample in samples]
    metric.update(
        [sample.pred & bool(at % 2) for sample, at in zip(samples, positions, strict=True)],
        [at > 3 for at in positions],
        [sample.sample_id for sample in samples],
    )


def no_target_numbers(metric: Metric) -> dict[str, str]:
    return {name: value.item().hex() for name, value in metric.compute().as_log_dict().items()}


def update_unsupervised(metric: Metric, samples: list[Sample]) -> None:
    """Take every clip for a sequence with one object, of one of two annotators."""
    metric.update(
        [sample.pred.to(torch.uint8) for sample in samples],
        [sample.target.to(torch.uint8) for sample in samples],
        [sample.sample_id for sample in samples],
        [f"anno_{int(sample.sample_id[5]) % 2}" for sample in samples],
    )


def unsupervised_numbers(metric: Metric) -> dict[str, str]:
    result = metric.compute()
    parts = {"": result.overall, **result.per_annotator, **result.per_sequence}
    found = {f"J/{name}": scores.j.item().hex() for name, scores in parts.items()}
    return found | {
        f"F/{name}": scores.f.item().hex() for name, scores in result.per_annotator.items()
    }


def scalar_number(metric: Metric) -> dict[str, str]:
    return {"value": metric.compute().item().hex()}


def named_numbers(metric: Metric) -> dict[str, str]:
    return {name: value.item().hex() for name, value in metric.compute().items()}


Update = Callable[[Metric, list[Sample]], None]
Numbers = Callable[[Metric], dict[str, str]]
METRICS: dict[str, tuple[Callable[[], Metric], Update, Numbers]] = {
    "j_and_f": (JAndF, update_j_and_f, j_and_f_numbers),
    "overall_iou": (OverallIoU, update_overlap, scalar_number),
    "mean_iou": (MeanIoU, update_overlap, scalar_number),
    "precision_at_k": (lambda: PrecisionAtK([0.4, 0.5]), update_overlap, named_numbers),
    "mask_average_precision": (
        MaskAveragePrecision,
        update_average_precision,
        average_precision_numbers,
    ),
    "no_target_accuracy": (NoTargetAccuracy, update_no_target, no_target_numbers),
    "unsupervised_j_and_f": (UnsupervisedJAndF, update_unsupervised, unsupervised_numbers),
    "sample_table": (lambda: SampleTable(["share"]), update_table, table_numbers),
}


def shard(rank: int, world_size: int, sharding: str) -> list[int]:
    """Choose the samples of a process.

    ``padded`` repeats the first samples until all shards are of one size, as DistributedSampler
    does; ``uneven`` does not; ``idle`` leaves the last process without any.
    """
    indices = list(range(NUM_SAMPLES))
    if sharding == "padded":
        indices += indices[: -NUM_SAMPLES % world_size]
    if sharding == "idle":
        return indices[rank :: world_size - 1] if rank < world_size - 1 else []
    return indices[rank::world_size]


def score(name: str, indices: list[int], batch_size: int) -> dict[str, str]:
    """Feed samples to a fresh metric in batches and compute."""
    build, update, numbers = METRICS[name]
    samples = make_samples()
    metric = build()
    for start in range(0, len(indices), batch_size):
        update(metric, [samples[index] for index in indices[start : start + batch_size]])
    return numbers(metric)


def main(rank: int, folder: Path) -> None:
    """Score alone, then in groups of three and of two processes."""
    results = {name: {"single": score(name, list(range(NUM_SAMPLES)), 3)} for name in METRICS}
    for world_size in (3, 2):
        if rank >= world_size:
            break
        store = folder / f"store{world_size}"
        dist.init_process_group(
            "gloo", init_method=f"file://{store}", rank=rank, world_size=world_size
        )
        for name, found in results.items():
            for sharding in ("padded", "uneven", "idle"):
                indices = shard(rank, world_size, sharding)
                found[f"{world_size} {sharding}"] = score(name, indices, 1 + rank)
        dist.destroy_process_group()
    (folder / f"results{rank}.json").write_text(json.dumps(results))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(int(sys.argv[1]), Path(sys.argv[2]))
