"""What windows and the tracker's memory cost in J&F on long videos."""

import copy
import itertools
from dataclasses import dataclass, field
from statistics import fmean

import torch
from jaxtyping import Bool
from torch import Tensor

from rvos.benchmarks.table import Table
from rvos.datasets.referring_video import ReferringVideoDataset
from rvos.inference.expression_stream import AnswerRules, ExpressionStream
from rvos.inference.selection import TopOne, TrackSelection
from rvos.inference.window_plan import WindowPlan
from rvos.metrics.functional import contour_accuracy, region_similarity
from rvos.models.referdino import MemoryAugmentedTracker, ReferDINO
from rvos.structures import ImageFeatures, VideoSample
from rvos.visualization.progress_bar import open_bar

_FRAMES_PER_CHUNK = 8


@dataclass(frozen=True)
class Contestant:
    """One way to answer.

    Attributes:
        plan: When, and from how many frames.
        tracker: Instead of the model's own; None = that.
    """

    plan: WindowPlan
    tracker: MemoryAugmentedTracker | None = None


@dataclass
class QualityReport:
    """J&F by contestant.

    Attributes:
        frames: Which frames were scored.
        scores: Contestant's name to the J&F of these frames, ``[expression][frame]``, in [0, 1].
    """

    frames: list[int]
    scores: dict[str, list[list[float]]] = field(default_factory=dict)

    def mean(self, name: str, start: int = 0, stop: int | None = None) -> float:
        """Average over expressions and frames.

        Args:
            name: Of the contestant.
            start: First frame.
            stop: The one after the last; None = all.

        Returns:
            J&F in [0, 1].
        """
        last = self.frames[-1] + 1 if stop is None else stop
        chosen = [i for i, frame in enumerate(self.frames) if start <= frame < last]
        return fmean(scores[i] for scores in self.scores[name] for i in chosen)


@torch.inference_mode()
def measure_quality(
    model: ReferDINO,
    samples: ReferringVideoDataset,
    contestants: dict[str, Contestant],
    every: int = 8,
    selection: TrackSelection | None = None,
    show_progress: bool = False,
) -> QualityReport:
    """Stream every video once, and let all contestants answer from the same grounded frames.

    Args:
        model: In evaluation mode.
        samples: Whole videos of one length with targets ``all_tracks``; the expressions of a video
            adjacent.
        contestants: By name.
        every: Score every so many frames, from the first one.
        selection: Which tracks an expression refers to; None = the best one.
        show_progress: Draw a bar with the time left on stderr.

    Returns:
        The scores.
    """
    models = {name: with_tracker(model, one.tracker) for name, one in contestants.items()}
    report = QualityReport([], {name: [] for name in contestants})
    rules = AnswerRules(selection or TopOne())
    image: list[ImageFeatures] = []
    encoded_video = ""
    with open_bar("scoring", len(samples), "expression", show_progress) as bar:
        for sample in (samples[index] for index in range(len(samples))):
            if sample.video_id != encoded_video:
                image, encoded_video = _encode(model, sample), sample.video_id
            tokens = model.tokenize([sample.expression])
            streams = {
                name: ExpressionStream(models[name], sample.expression, tokens, rules)
                for name in contestants
            }
            report.frames = list(range(0, len(sample.frames), every))
            target = sample.targets.masks[sample.targets.referred].any(dim=0)[report.frames]
            masks = _answer(streams, contestants, image, sample, every)
            for name, found in masks.items():
                j_and_f = (region_similarity(found, target) + contour_accuracy(found, target)) / 2
                report.scores[name].append(j_and_f.tolist())
            bar.update()
    return report


def with_tracker(model: ReferDINO, tracker: MemoryAugmentedTracker | None) -> ReferDINO:
    """Put another tracker into a model that shares everything else with it.

    Args:
        model: Stays as it is.
        tracker: The other one; None returns the model itself.

    Returns:
        The other model.
    """
    if tracker is None or model.temporal_enhancer is None:
        return model
    other, enhancer = copy.copy(model), copy.copy(model.temporal_enhancer)
    enhancer._modules = dict(enhancer._modules)
    enhancer.tracker = tracker
    other._modules = dict(model._modules)
    other.temporal_enhancer = enhancer
    return other


def quality_table(report: QualityReport, num_stretches: int = 4) -> Table:
    """Show how J&F goes along the videos.

    Args:
        report: The scores.
        num_stretches: Columns beside the first 24 frames and all of them.

    Returns:
        One row per contestant, J&F in percent.

    >>> report = QualityReport([0, 40, 80], {"exact": [[0.5, 0.6, 0.7]]})
    >>> print(quality_table(report, 2).as_text())
           J&F  0-23  24-51  52-80
    exact  60.0  50.0   60.0   70.0
    """
    length, short = report.frames[-1] + 1, 24
    edges = [short + (length - short) * i // num_stretches for i in range(num_stretches + 1)]
    stretches = [(0, short), *itertools.pairwise(edges)]
    header = ["", "J&F", *(f"{start}-{stop - 1}" for start, stop in stretches)]
    rows = [
        [
            name,
            f"{100 * report.mean(name):.1f}",
            *(f"{100 * report.mean(name, *stretch):.1f}" for stretch in stretches),
        ]
        for name in report.scores
    ]
    return Table(header, rows)


def _encode(model: ReferDINO, sample: VideoSample) -> list[ImageFeatures]:
    device = model.grounder.query_embeddings.weight.device
    chunks = sample.frames.split(_FRAMES_PER_CHUNK)
    return [part for chunk in chunks for part in model.encode_frames(chunk[None].to(device))]


def _answer(
    streams: dict[str, ExpressionStream],
    contestants: dict[str, Contestant],
    image: list[ImageFeatures],
    sample: VideoSample,
    every: int,
) -> dict[str, Bool[Tensor, "t h w"]]:
    """Masks of the scored frames, by contestant."""
    num_seen, answered = 0, dict.fromkeys(streams, 0)
    masks: dict[str, list[Tensor]] = {name: [] for name in streams}
    sizes = (sample.frames.shape[-2], sample.frames.shape[-1]), sample.original_size
    for chunk in image:
        # Grounding is the same for all of them.
        grounded = next(iter(streams.values())).ground(chunk)
        num_seen += chunk.tokens.shape[0]
        for name, stream in streams.items():
            stream.add(grounded)
            plan, ended = contestants[name].plan, num_seen == len(sample.frames)
            for window in plan.windows(num_seen, answered[name], ended):
                answer = stream.answer(window)
                for frame in range(-(-window.first // every) * every, window.last, every):
                    (found,) = stream.frame_masks(answer, range(frame, frame + 1), *sizes)
                    masks[name].append(found.mask)
                answered[name] = window.last
            stream.forget(plan.first_needed(num_seen, answered[name]), answered[name])
    return {name: torch.stack(found) for name, found in masks.items()}
