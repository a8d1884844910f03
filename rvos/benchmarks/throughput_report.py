"""What a throughput benchmark was asked for and what it found."""

import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from rvos.benchmarks.contestants import SHARED_IMAGE
from rvos.benchmarks.operation_counts import TOTAL, OperationCount
from rvos.benchmarks.precision import Precision

RVOS = "rvos"
LEVERS_OFF = "every lever off"
STOCK = "stock detector"
OTHER = "other"
STEP = "+ "
# Stages that do the same work in rvos without levers and in the stock detector.
GUARDED = ("backbone", "fusion encoder")
_GUARD = 1.1


@dataclass(frozen=True)
class ThroughputRequest:
    """What to measure; the content of the frames does not matter for the time.

    Attributes:
        num_frames: Frames of the clip.
        height: Of the frames in pixels.
        width: Of the frames in pixels.
        num_expressions: Numbers of expressions of one clip, each measured.
        num_repeats: Measurements.
        precision: Of rvos and the stock detector; without levers it is float32.
        compiled: Whether rvos may use torch.compile.
        off: Levers that rvos does without.
        waterfall: Whether to measure each lever's contribution.
        frames_per_chunk: Frames at a time of rvos and the stock detector; None = the model's.
    """

    num_frames: int = 8
    height: int = 128
    width: int = 192
    num_expressions: tuple[int, ...] = (1, 3)
    num_repeats: int = 3
    precision: Precision = "float32"
    compiled: bool = False
    off: tuple[str, ...] = ()
    waterfall: bool = False
    frames_per_chunk: int | None = None


@dataclass
class ThroughputReport:
    """Seconds of every repeat; rates and ratios are made of them.

    Attributes:
        request: What was measured.
        levers: All levers, in the order of the waterfall.
        seconds: Number of expressions to way to seconds of the clip. Ways are rvos, every lever
            off, the stock detector, and ``+ LEVER`` with the levers up to this one.
        stages: Way to stage to seconds, with the least number of expressions.
        counts: Way to stage to operations of the same passes, and their ``total``.
        unpruned: The same without levers when the decoder keeps all queries; empty if it cannot.
        matrix_peak: Operations per second of large matrix products, in float32 and the precision.
        first_pass: Seconds of the first pass, in which compilation takes place.
    """

    request: ThroughputRequest
    levers: list[str] = field(default_factory=list)
    seconds: dict[int, dict[str, list[float]]] = field(default_factory=dict)
    stages: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    counts: dict[str, dict[str, OperationCount]] = field(default_factory=dict)
    unpruned: dict[str, OperationCount] = field(default_factory=dict)
    matrix_peak: dict[str, list[float]] = field(default_factory=dict)
    first_pass: float = 0.0

    def ratios(self, num_expressions: int, way: str) -> list[float]:
        """Time of another way over that of rvos, of every repeat.

        Args:
            num_expressions: As requested.
            way: The other way.
        """
        ways = self.seconds[num_expressions]
        return [other / own for other, own in zip(ways[way], ways[RVOS], strict=True)]

    def ratios_of_guard(self, stage: str) -> list[float]:
        """Time of a stage without levers over that of the stock detector, of every repeat.

        Args:
            stage: Which both have.
        """
        pairs = zip(self.stages[LEVERS_OFF][stage], self.stages[STOCK][stage], strict=True)
        return [own / stock for own, stock in pairs]

    def is_guard_met(self, stage: str) -> bool:
        """Whether the baseline without levers is not slowed down.

        Args:
            stage: Which the stock detector has, too.
        """
        return statistics.median(self.ratios_of_guard(stage)) <= _GUARD

    def flops_per_second(self, way: str) -> float:
        """Counted operations over measured time, with the least number of expressions.

        Args:
            way: One of those counted.
        """
        seconds = statistics.median(self.seconds[min(self.seconds)][way])
        return self.counts[way][TOTAL].flops / seconds

    def peak(self, way: str) -> float:
        """Operations per second of large matrix products in the precision of a way.

        Args:
            way: One of those measured.
        """
        precision = self.request.precision
        plain = way == LEVERS_OFF or (way == RVOS and precision in self.request.off)
        return max(self.matrix_peak["float32" if plain else precision])

    def waterfall(self, num_expressions: int) -> dict[str, list[float]]:
        """From no lever to all that rvos uses: title to seconds.

        Args:
            num_expressions: As requested.
        """
        ways = self.seconds[num_expressions]
        steps = steps_of(self.levers, self.request.off, num_expressions)
        titles = [f"{STEP}{lever}" for lever in steps]
        seconds = [*(ways[title] for title in titles[:-1]), ways[RVOS]]
        return {LEVERS_OFF: ways[LEVERS_OFF], **dict(zip(titles, seconds, strict=True))}


def steps_of(levers: Sequence[str], off: Collection[str], num_expressions: int) -> list[str]:
    """List the levers that a waterfall switches on, one after the other.

    Args:
        levers: All of them.
        off: Those that stay off.
        num_expressions: One expression has nobody to share the image part with.

    >>> steps_of(["bag_sampling", "shared_image", "compile"], ["compile"], 1)
    ['bag_sampling']
    """
    return [
        lever
        for lever in levers
        if lever not in off and (num_expressions > 1 or lever != SHARED_IMAGE)
    ]
