"""Frames per second of inference, what sharing the image part gains, and where the time goes."""

import statistics
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn
from tqdm import tqdm

from rvos.benchmarks.stage_timer import StageTimer, read_clock
from rvos.models.referdino import ReferDINO
from rvos.structures import TextTokens

_WORDS = ("red", "green", "blue", "yellow", "purple", "orange")
_OTHER_STAGE = "other"


@dataclass(frozen=True)
class ThroughputRequest:
    """What to measure; the content of the frames does not matter for the time.

    Attributes:
        num_frames: Frames of the clip.
        height: Of the frames in pixels.
        width: Of the frames in pixels.
        num_expressions: Expressions that share the image part.
        num_repeats: Measurements.
    """

    num_frames: int = 24
    height: int = 128
    width: int = 192
    num_expressions: int = 3
    num_repeats: int = 5


@dataclass
class ThroughputReport:
    """Seconds of every repeat; rates and ratios are made of them.

    Attributes:
        request: What was measured.
        one: Clip with one expression.
        shared: Clip with all expressions, the image part computed once.
        unshared: Clip with all expressions, the image part computed for each.
        stages: Seconds per stage of the passes with one expression; ``other`` is the rest.
    """

    request: ThroughputRequest
    one: list[float] = field(default_factory=list)
    shared: list[float] = field(default_factory=list)
    unshared: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=dict)

    @property
    def frames_per_second(self) -> list[float]:
        """Frames per second with one expression, of every repeat."""
        return [self.request.num_frames / seconds for seconds in self.one]

    @property
    def gain_of_sharing(self) -> list[float]:
        """Time without sharing over time with it, of every repeat."""
        pairs = zip(self.unshared, self.shared, strict=True)
        return [unshared / shared for unshared, shared in pairs]


@torch.inference_mode()
def measure_throughput(
    model: ReferDINO, request: ThroughputRequest, show_progress: bool = False
) -> ThroughputReport:
    """Segment a clip of noise again and again, after one pass to warm up.

    The three ways take turns, so that a machine that grows slower does not favour one of them.

    Args:
        model: In evaluation mode.
        request: What to measure.
        show_progress: Draw a bar with the time left on stderr.

    Returns:
        The times.
    """
    device = model.grounder.query_embeddings.weight.device
    size = (request.height, request.width)
    frames = torch.rand(1, request.num_frames, 3, *size, device=device)
    texts = [
        model.tokenize([f"the {_WORDS[index % len(_WORDS)]} circle on the left"])
        for index in range(request.num_expressions)
    ]
    report = ThroughputReport(request)
    ways = (
        (report.one, texts[:1], True),
        (report.shared, texts, True),
        (report.unshared, texts, False),
    )
    _segment(model, frames, texts[:1], share=True)
    for _ in tqdm(range(request.num_repeats), desc="measuring", disable=not show_progress):
        for seconds, expressions, share in ways:
            start = read_clock(device)
            _segment(model, frames, expressions, share=share)
            seconds.append(read_clock(device) - start)
        _measure_stages(model, frames, texts[:1], report)
    return report


def stages_of(model: ReferDINO) -> dict[str, nn.Module]:
    """List the stages of a model in the order that they run.

    Args:
        model: The model.

    Returns:
        Title to module; a model without temporal enhancer lacks that stage.
    """
    grounder = model.grounder
    stages = {
        "image encoder": grounder.image_encoder,
        "text encoder": grounder.text_encoder,
        "fusion encoder": grounder.fusion_encoder,
        "proposals": grounder.proposal_selector,
        "query decoder": grounder.query_decoder,
        "temporal enhancer": model.temporal_enhancer,
        "pixel decoder": model.pixel_decoder,
        "mask decoder": model.mask_head,
    }
    return {title: module for title, module in stages.items() if module is not None}


def summarize(values: list[float]) -> tuple[float, float, float]:
    """Reduce repeats to what a table shows.

    Args:
        values: One per repeat.

    Returns:
        Median, least and greatest.

    >>> summarize([3.0, 1.0, 2.0])
    (2.0, 1.0, 3.0)
    """
    return statistics.median(values), min(values), max(values)


def _segment(
    model: ReferDINO,
    frames: Float[Tensor, "1 t 3 h w"],
    texts: list[TextTokens],
    share: bool,
) -> None:
    image = model.encode_frames(frames) if share else None
    for tokens in texts:
        features = model.encode_frames(frames) if image is None else image
        model.segment_features(features, tokens, (frames.shape[-2], frames.shape[-1]))


def _measure_stages(
    model: ReferDINO,
    frames: Float[Tensor, "1 t 3 h w"],
    texts: list[TextTokens],
    report: ThroughputReport,
) -> None:
    device = frames.device
    with StageTimer(stages_of(model), device) as timer:
        start = read_clock(device)
        _segment(model, frames, texts, share=True)
        total = read_clock(device) - start
    seconds = {**timer.seconds, _OTHER_STAGE: total - sum(timer.seconds.values())}
    for title, value in seconds.items():
        report.stages.setdefault(title, []).append(value)
