"""One training step as the published recipe takes it, on synthetic clips."""

import contextlib
import itertools
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from rvos.benchmarks.benchmark_model import synthetic_expressions
from rvos.benchmarks.stage_timer import read_clock
from rvos.layers.levers import levers_of, levers_off
from rvos.losses import SetCriterion
from rvos.models.adaptation import AdaptationPolicy
from rvos.models.referdino import ReferDINO
from rvos.structures import ClipTargets, TextTokens

RVOS = "rvos"
CHECKPOINTED = "rvos, activations recomputed"
LEVERS_OFF = "every lever off"
PARTS = ("forward", "losses", "backward", "update")
_PUBLISHED_NORM = 0.1


@dataclass(frozen=True)
class TrainingRequest:
    """What to measure.

    Attributes:
        num_clips: Clips per batch.
        num_frames: Frames per clip.
        height: Of the frames in pixels.
        width: Of the frames in pixels.
        num_repeats: Measured steps per way.
        precision: Of autocast; without levers, too, so that both ways compute the same.
        off: Levers that rvos shall do without.
        checkpointed: Also measure with activations of encoder and decoders recomputed.
    """

    num_clips: int = 1
    num_frames: int = 2
    height: int = 128
    width: int = 192
    num_repeats: int = 3
    precision: Literal["float32", "bfloat16"] = "float32"
    off: tuple[str, ...] = ()
    checkpointed: bool = False

    @property
    def ways(self) -> list[str]:
        """What takes turns."""
        return [RVOS, *[CHECKPOINTED] * self.checkpointed, LEVERS_OFF]


@dataclass
class StepFigures:
    """One step.

    Attributes:
        seconds: Of its parts, in the order of ``PARTS``; processor time on one thread.
        losses: Unweighted terms, and ``total``.
    """

    seconds: list[float]
    losses: dict[str, float]


class TrainingStep:
    """Takes the same step again and again: the learning rate is 0.

    Args:
        model: Gets adapters, and trains what the published recipe trains.
        request: What to measure.

    Raises:
        UnknownLeverError: The model has no lever of such a name.
    """

    def __init__(self, model: ReferDINO, request: TrainingRequest) -> None:
        self.request = request
        self.model = model.train()
        adaptation = AdaptationPolicy()
        trainable = set(adaptation.apply(model))
        adaptation.set_frozen_parts_to_eval(model)
        self.trainable = [p for name, p in model.named_parameters() if name in trainable]
        self.optimizer = torch.optim.AdamW(self.trainable, lr=0.0)
        self.criterion = SetCriterion()
        self.device = model.grounder.query_embeddings.weight.device
        self.frames, self.tokens, self.targets = _batch(model, request)
        self.valid_pixels = torch.ones_like(self.frames[:, :, 0], dtype=torch.bool)
        with levers_off(model, request.off):
            self.levers = levers_of(model)

    def take(self, way: str, kept_bytes: list[int] | None = None) -> StepFigures:
        """Take one step.

        Args:
            way: One of the request's.
            kept_bytes: Gets the bytes appended that forward pass and losses keep for the backward
                pass, weights aside.

        Returns:
            Times and losses.
        """
        torch.manual_seed(0)
        self.optimizer.zero_grad(set_to_none=True)
        marks = [self._clock()]
        with self._switched(way):
            counting = contextlib.nullcontext() if kept_bytes is None else self._count(kept_bytes)
            with counting:
                with self._autocast():
                    output = self.model.forward_for_training(
                        self.frames, self.tokens, self.valid_pixels
                    )
                marks.append(self._clock())
                losses = self.criterion(output, self.targets, self.valid_pixels)
                marks.append(self._clock())
            losses.total.backward()
            del output
            marks.append(self._clock())
            clip_grad_norm_(self.trainable, _PUBLISHED_NORM)
            self.optimizer.step()
            marks.append(self._clock())
        values = {"total": losses.total, **losses.terms}
        return StepFigures(
            [after - before for before, after in itertools.pairwise(marks)],
            {name: float(value.detach()) for name, value in values.items()},
        )

    @contextlib.contextmanager
    def _switched(self, way: str) -> Iterator[None]:
        """Set the model to a way for a while."""
        off: Collection[str] = levers_of(self.model) if way == LEVERS_OFF else self.request.off
        parts: list[Any] = [self.model.grounder.fusion_encoder, self.model.grounder.query_decoder]
        if hasattr(self.model.mask_head, "checkpoint_activations"):
            parts.append(self.model.mask_head)
        before = [part.checkpoint_activations for part in parts]
        for part in parts:
            part.checkpoint_activations = way == CHECKPOINTED
        try:
            with levers_off(self.model, off):
                yield
        finally:
            for part, wanted in zip(parts, before, strict=True):
                part.checkpoint_activations = wanted

    @contextlib.contextmanager
    def _count(self, kept_bytes: list[int]) -> Iterator[None]:
        """Add up the storages that autograd keeps, each once."""
        weights = {p.untyped_storage().data_ptr() for p in self.model.parameters()}
        kept: dict[int, int] = {}

        def keep(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in weights:
                kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            yield
        kept_bytes.append(sum(kept.values()))

    def _autocast(self) -> contextlib.AbstractContextManager[object]:
        if self.request.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def _clock(self) -> float:
        # Other work on the machine does not run this clock.
        if self.device.type == "cpu" and torch.get_num_threads() == 1:
            return time.process_time()
        return read_clock(self.device)


def _batch(
    model: ReferDINO, request: TrainingRequest
) -> tuple[Float[Tensor, "b t 3 h w"], TextTokens, list[ClipTargets]]:
    """Noise with a rectangle that moves; one expression per clip."""
    device = model.grounder.query_embeddings.weight.device
    draw = torch.Generator().manual_seed(0)
    size = (request.num_frames, 3, request.height, request.width)
    frames = torch.randn(request.num_clips, *size, generator=draw)
    expressions = synthetic_expressions(model, request.num_clips)
    tokens = TextTokens(
        torch.cat([one.input_ids for one in expressions]),
        torch.cat([one.attention_mask for one in expressions]),
    )
    targets = []
    for clip in range(request.num_clips):
        masks = torch.zeros(1, request.num_frames, *size[2:], dtype=torch.bool)
        boxes = torch.empty(1, request.num_frames, 4)
        for frame in range(request.num_frames):
            left = (0.1 + 0.4 * (clip + frame) / (request.num_clips + request.num_frames)) % 0.5
            start = round(left * request.width)
            masks[0, frame, request.height // 4 : request.height // 2, start:][
                :, : request.width // 4
            ] = True
            boxes[0, frame] = torch.tensor([start / request.width + 0.125, 0.375, 0.25, 0.25])
        present = torch.ones(1, request.num_frames, dtype=torch.bool)
        referred = torch.ones(1, dtype=torch.bool)
        parts = (boxes, masks, present, referred)
        targets.append(ClipTargets(*(part.to(device) for part in parts)))
    return frames.to(device), tokens, targets
