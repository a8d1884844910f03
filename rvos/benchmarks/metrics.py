"""What the fast metrics gain over the plain ones, on one core and the same masks.

Times are those of the processor: what else runs on the machine hardly changes them.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from jaxtyping import Float64

from rvos.benchmarks.metric_masks import (
    DAVIS_VAL,
    LabelSequence,
    MaskPair,
    compact_pair,
    davis_sequences,
    scattered_pair,
)
from rvos.benchmarks.plain_metrics import plain_contour_accuracy, plain_pair_scores
from rvos.metrics.functional import contour_accuracy
from rvos.metrics.functional.proposal_assignment import TargetSequence
from rvos.visualization.progress_bar import open_bar

DAVIS_TITLE = "Ref-DAVIS17, one annotator"
_PAIRS_PER_REPEAT = 5
_COMPACT_SHARES = (0.01, 0.03, 0.1)
_SCATTERED_SHARE = 0.15


@dataclass(frozen=True)
class MetricsRequest:
    """What to measure.

    Attributes:
        height: Of the frames for the contour accuracy, in pixels.
        width: Of these frames.
        num_repeats: Measurements of each kind; each takes other masks.
        num_sequences: The first sequences of DAVIS val; 0 leaves the protocol out.
        seed: Of the masks.
    """

    height: int = 720
    width: int = 1280
    num_repeats: int = 5
    num_sequences: int = len(DAVIS_VAL)
    seed: int = 0


@dataclass
class Comparison:
    """Seconds of the fast and the plain way, per repeat.

    Attributes:
        fast: With rvos.
        plain: By the definition.
    """

    fast: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """How many times as long the plain way takes, per repeat."""
        return [plain / fast for plain, fast in zip(self.plain, self.fast, strict=True)]


@dataclass
class MetricsReport:
    """All comparisons.

    Attributes:
        request: What was measured.
        contours: Title to seconds per frame and object.
        davis: Seconds for all sequences; without any where it was left out.
    """

    request: MetricsRequest
    contours: dict[str, Comparison] = field(default_factory=dict)
    davis: Comparison = field(default_factory=Comparison)


def measure_metrics(request: MetricsRequest, show_progress: bool = False) -> MetricsReport:
    """Time both ways in turns, so that a machine that grows slower does not favour one of them.

    Args:
        request: What to measure.
        show_progress: Draw a bar with the time left on stderr.

    Returns:
        The times.

    Raises:
        RuntimeError: Both ways differ in a score, so that their times cannot be compared.
    """
    report = MetricsReport(request)
    size = (request.height, request.width)
    rng = np.random.default_rng(request.seed)
    with _one_core():
        _compare_contours(compact_pair(size, _COMPACT_SHARES[0], rng), Comparison())  # warm up
        num_steps = request.num_repeats * (1 + request.num_sequences)
        with open_bar("measuring", num_steps, "step", show_progress) as bar:
            for _ in range(request.num_repeats):
                for title, pairs in _mask_pairs(size, rng).items():
                    comparison = Comparison()
                    for pair in pairs:
                        _compare_contours(pair, comparison)
                    _add_mean(comparison, report.contours.setdefault(title, Comparison()))
                bar.update()
                comparison = Comparison()
                for sequence in davis_sequences(request.num_sequences, rng):
                    _compare_sequences(sequence, comparison)
                    bar.update()
                if comparison.fast:
                    report.davis.fast.append(sum(comparison.fast))
                    report.davis.plain.append(sum(comparison.plain))
    return report


def _mask_pairs(size: tuple[int, int], rng: np.random.Generator) -> dict[str, list[MaskPair]]:
    pairs = {
        f"F, compact object of {share:.0%}": [
            compact_pair(size, share, rng) for _ in range(_PAIRS_PER_REPEAT)
        ]
        for share in _COMPACT_SHARES
    }
    pairs[f"F, scattered blobs of {_SCATTERED_SHARE:.0%}"] = [
        scattered_pair(size, _SCATTERED_SHARE, rng) for _ in range(_PAIRS_PER_REPEAT)
    ]
    return pairs


def _compare_contours(pair: MaskPair, comparison: Comparison) -> None:
    pred, target = torch.from_numpy(pair.pred), torch.from_numpy(pair.target)
    _time_both(
        lambda: np.array(contour_accuracy(pred, target).item()),
        lambda: np.array(plain_contour_accuracy(pair.pred, pair.target)),
        comparison,
    )


def _compare_sequences(sequence: LabelSequence, comparison: Comparison) -> None:
    """Time the scoring of a sequence; both ways end with the scores of the best assignment."""
    _time_both(lambda: _fast_sequence(sequence), lambda: _plain_sequence(sequence), comparison)


def _fast_sequence(sequence: LabelSequence) -> Float64[np.ndarray, "2 n t"]:
    scores = TargetSequence(sequence.targets).score(sequence.preds)
    return np.stack([[item.j for item in scores], [item.f for item in scores]])


def _plain_sequence(sequence: LabelSequence) -> Float64[np.ndarray, "2 n t"]:
    scores = plain_pair_scores(sequence.preds, sequence.targets, sequence.num_objects)
    # The assignment itself takes no time worth mentioning, and is known: labels are moved by one.
    labels = np.arange(sequence.num_objects)
    return scores[:, (labels + 1) % sequence.num_objects, labels]


def _time_both(
    fast: Callable[[], np.ndarray], plain: Callable[[], np.ndarray], comparison: Comparison
) -> None:
    results = []
    for run, seconds in ((fast, comparison.fast), (plain, comparison.plain)):
        start = time.process_time()
        results.append(run())
        seconds.append(time.process_time() - start)
    if not np.array_equal(results[0], results[1]):
        message = f"the fast way gives {results[0]}, the plain way {results[1]}"
        raise RuntimeError(message)


def _add_mean(parts: Comparison, whole: Comparison) -> None:
    for values, means in ((parts.fast, whole.fast), (parts.plain, whole.plain)):
        means.append(statistics.fmean(values))


@contextmanager
def _one_core() -> Iterator[None]:
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])
