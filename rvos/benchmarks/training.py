"""Steps per second and memory of training, with all levers and without any."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from rvos.benchmarks.training_memory import StepMemory, measure_memory
from rvos.benchmarks.training_step import LEVERS_OFF, RVOS, TrainingRequest, TrainingStep
from rvos.models.referdino import ReferDINO
from rvos.visualization.progress_bar import open_bar


@dataclass
class TrainingReport:
    """Figures of every way.

    Attributes:
        request: What was measured.
        levers: That the model has.
        parts: Seconds of the parts of every measured step, per way.
        losses: Of the first step, per way.
        memory: Of one step, per way.
    """

    request: TrainingRequest
    levers: list[str] = field(default_factory=list)
    parts: dict[str, list[list[float]]] = field(default_factory=dict)
    losses: dict[str, dict[str, float]] = field(default_factory=dict)
    memory: dict[str, StepMemory] = field(default_factory=dict)

    def seconds(self, way: str) -> list[float]:
        """Time of every measured step.

        Args:
            way: One of the request's.
        """
        return [sum(parts) for parts in self.parts[way]]

    def gains(self, way: str) -> list[float]:
        """How many times as long the step without levers took, repeat by repeat.

        Args:
            way: One of the request's.
        """
        pairs = zip(self.seconds(LEVERS_OFF), self.seconds(way), strict=True)
        return [plain / seconds for plain, seconds in pairs]

    def loss_difference(self, way: str) -> float:
        """Greatest relative difference of a loss term from that without levers.

        Args:
            way: One of the request's.
        """
        plain = self.losses[LEVERS_OFF]
        return max(
            abs(value - plain[name]) / max(abs(plain[name]), torch.finfo().tiny)
            for name, value in self.losses[way].items()
        )


def measure_training(
    make_model: Callable[[], ReferDINO],
    request: TrainingRequest,
    device: torch.device,
    show_progress: bool = False,
) -> TrainingReport:
    """Look at the memory of one step of each way, then let the ways take turns.

    Args:
        make_model: A function that can be pickled.
        request: What to measure.
        device: Where to train.
        show_progress: Draw a bar with the time left on stderr.

    Returns:
        The figures.

    Raises:
        RvosError: The request cannot be met.
    """
    report = TrainingReport(request)
    step = TrainingStep(make_model().to(device), request)
    report.levers = step.levers
    # The memory of each way, a step of each to warm up, then the repeats.
    total = len(request.ways) * (2 + request.num_repeats)
    with open_bar("training", total, "step", show_progress) as progress:
        for way in request.ways:
            report.memory[way] = measure_memory(make_model, request, way, device)
            progress.update()
        for repeat in range(1 + request.num_repeats):
            for way in request.ways:
                figures = step.take(way)
                if repeat == 0:
                    report.losses[way] = figures.losses
                    report.parts[way] = []
                else:
                    report.parts[way].append(figures.seconds)
                progress.update()
    return report


def headline(request: TrainingRequest, model: str) -> str:
    """Say what is measured.

    Args:
        request: What is measured.
        model: What to call the model.

    >>> headline(TrainingRequest(), "tiny")
    'tiny: batches of 1 clip of 2 frames of 128x192, 3 repeats, float32'
    """
    clips = f"{request.num_clips} clip{'s' * (request.num_clips > 1)}"
    without = f", {RVOS} without {', '.join(request.off)}" if request.off else ""
    return (
        f"{model}: batches of {clips} of {request.num_frames} frames of "
        f"{request.height}x{request.width}, {request.num_repeats} repeats, "
        f"{request.precision}{without}"
    )
