"""Frames per second of inference against two baselines, what each lever gains, and the stages."""

import functools
from collections.abc import Callable

import torch

from rvos.benchmarks.benchmark_model import synthetic_expressions
from rvos.benchmarks.compilation import CompiledParts, check_compiler, compilable_parts
from rvos.benchmarks.contestants import (
    COMPILE,
    Clip,
    LeveredModel,
    detect,
    stages_of,
)
from rvos.benchmarks.matrix_peak import measure_matrix_peak
from rvos.benchmarks.operation_counts import count_operations
from rvos.benchmarks.precision import DTYPES, full_float32
from rvos.benchmarks.stage_timer import Stages, StageTimer, read_clock
from rvos.benchmarks.stock_detector import StockDetector
from rvos.benchmarks.throughput_report import (
    LEVERS_OFF,
    OTHER,
    RVOS,
    STEP,
    STOCK,
    ThroughputReport,
    ThroughputRequest,
    steps_of,
)
from rvos.models.grounding_dino import ConfidenceQueryPruner
from rvos.models.referdino import ReferDINO
from rvos.visualization.progress_bar import open_bar


def check_request(model: ReferDINO, request: ThroughputRequest) -> None:
    """Refuse what cannot be measured, before anything is.

    Args:
        model: The model.
        request: What to measure.

    Raises:
        UnknownLeverError: There is no lever of a name that is to be switched off.
        CompilerMissingError: There is nothing to compile with.
    """
    if request.compiled:
        check_compiler(model.grounder.query_embeddings.weight.device)
    compiled = CompiledParts([]) if request.compiled else None
    LeveredModel(model, request.precision, compiled, model.frames_per_chunk).check(request.off)


@torch.no_grad()
def measure_throughput(
    model: ReferDINO, request: ThroughputRequest, show_progress: bool = False
) -> ThroughputReport:
    """Segment a clip of noise again and again, after one pass of every way to warm up.

    The ways take turns, so that a machine that grows slower does not favour one of them.

    Args:
        model: In evaluation mode.
        request: What to measure.
        show_progress: Draw a bar with the time left on stderr.

    Returns:
        The times.

    Raises:
        RvosError: As of :func:`check_request`.
    """
    check_request(model, request)
    with full_float32():
        return _Measurement(model, request).run(show_progress)


class _Measurement:
    def __init__(self, model: ReferDINO, request: ThroughputRequest) -> None:
        self.request = request
        self.device = model.grounder.query_embeddings.weight.device
        self.num_frames = request.frames_per_chunk or model.frames_per_chunk
        compiled = None
        if request.compiled:
            compiled = CompiledParts(compilable_parts(model, request.precision))
        self.model = LeveredModel(model, request.precision, compiled, self.num_frames)
        self.report = ThroughputReport(request, self.model.levers)
        size = (request.height, request.width)
        self.frames = torch.rand(1, request.num_frames, 3, *size, device=self.device)
        self.expressions = synthetic_expressions(model, max(request.num_expressions))
        num_tokens = model.encode_frames(self.frames[:, :2])[0].tokens.shape[1]
        config = model.grounder.config
        detector = StockDetector(config, min(config.num_queries, num_tokens))
        self.detector = detector.to(self.device)

    def run(self, show_progress: bool) -> ThroughputReport:
        """Let all ways take turns.

        Args:
            show_progress: Draw a bar with the time left on stderr.

        Returns:
            The times.
        """
        request, report = self.request, self.report
        ways = {count: self._ways(count) for count in sorted(set(request.num_expressions))}
        # More expressions repeat what one does: its passes warm up for all.
        warm_up = ways[min(ways)]
        num_passes = sum(map(len, ways.values())) * request.num_repeats + len(warm_up)
        with open_bar("measuring", num_passes, "step", show_progress) as bar:
            for title, run_pass in warm_up.items():
                seconds = self._time(run_pass)
                report.first_pass = seconds if title == RVOS else report.first_pass
                bar.update()
            report.seconds = {count: {way: [] for way in passes} for count, passes in ways.items()}
            for _ in range(request.num_repeats):
                self._measure_peak()
                for count, passes in ways.items():
                    stages = self._stages() if count == min(ways) else {}
                    for title, run_pass in passes.items():
                        seconds = self._measure(title, run_pass, stages.get(title))
                        report.seconds[count][title].append(seconds)
                        bar.update()
        self._count()
        return report

    def _ways(self, num_expressions: int) -> dict[str, Callable[[], None]]:
        clip = Clip(self.frames, self.expressions[:num_expressions])
        request, levers = self.request, self.model.levers
        ways: dict[str, Callable[[], None]] = {
            RVOS: functools.partial(self.model.segment, clip, request.off),
            LEVERS_OFF: functools.partial(self.model.segment, clip, levers),
            STOCK: functools.partial(
                detect, self.detector, clip, request.precision, self.num_frames
            ),
        }
        if request.waterfall:
            steps = steps_of(levers, request.off, num_expressions)
            for index, step in enumerate(steps[:-1]):
                off = set(levers).difference(steps[: index + 1])
                ways[f"{STEP}{step}"] = functools.partial(self.model.segment, clip, off)
        return ways

    @torch.inference_mode()
    def _time(self, run_pass: Callable[[], None]) -> float:
        start = read_clock(self.device)
        run_pass()
        return read_clock(self.device) - start

    def _measure_peak(self) -> None:
        for precision in dict.fromkeys(("float32", self.request.precision)):
            peak = measure_matrix_peak(self.device, DTYPES[precision])
            self.report.matrix_peak.setdefault(precision, []).append(peak)

    def _measure(self, title: str, run_pass: Callable[[], None], stages: Stages | None) -> float:
        # On an accelerator, stages that are timed wait for each other: they get their own pass.
        waits = self.device.type != "cpu"
        seconds = self._time(run_pass) if waits or stages is None else 0.0
        if stages is None:
            return seconds
        with StageTimer(stages, self.device) as timer:
            total = self._time(run_pass)
        rest = {OTHER: total - sum(timer.seconds.values())}
        for stage, amount in {**timer.seconds, **rest}.items():
            self.report.stages.setdefault(title, {}).setdefault(stage, []).append(amount)
        return seconds if waits else total

    def _stages(self) -> dict[str, Stages]:
        own = stages_of(self.model.model)
        return {RVOS: own, LEVERS_OFF: own, STOCK: self.detector.stages()}

    def _count(self) -> None:
        # Compiled code runs few operations of many; what they were made of is what is counted.
        off = {RVOS: {*self.request.off, COMPILE}, LEVERS_OFF: set(self.model.levers)}
        least = min(self.request.num_expressions)
        clip = Clip(self.frames, self.expressions[:least])
        passes: dict[str, Callable[[], None]] = {
            title: functools.partial(self.model.segment, clip, levers)
            for title, levers in off.items()
        }
        passes[STOCK] = self._ways(least)[STOCK]
        for title, stages in self._stages().items():
            self.report.counts[title] = count_operations(passes[title], stages)
        pruner = self.model.model.grounder.query_decoder.pruner
        if isinstance(pruner, ConfidenceQueryPruner):
            keep_ratio, pruner.keep_ratio = pruner.keep_ratio, 1.0
            stages = self._stages()[LEVERS_OFF]
            self.report.unpruned = count_operations(passes[LEVERS_OFF], stages)
            pruner.keep_ratio = keep_ratio
