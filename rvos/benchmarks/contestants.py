"""What takes turns in a throughput benchmark: rvos with any choice of levers, and the baseline."""

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from rvos.benchmarks.compilation import CompiledParts
from rvos.benchmarks.precision import Precision, autocast
from rvos.benchmarks.stage_timer import Stages
from rvos.benchmarks.stock_detector import StockDetector
from rvos.layers.levers import UnknownLeverError, levers_of, levers_off
from rvos.models.referdino import ReferDINO
from rvos.structures import TextTokens

SHARED_IMAGE = "shared_image"
COMPILE = "compile"


@dataclass(frozen=True)
class Clip:
    """What every contestant gets.

    Attributes:
        frames: ``[1, T, 3, H, W]``; their content does not matter for the time.
        expressions: Of the same length, each ``[1, L]``.
    """

    frames: Float[Tensor, "1 t 3 h w"]
    expressions: list[TextTokens]


class LeveredModel:
    """A model together with the levers that lie outside of it.

    Args:
        model: In evaluation mode.
        precision: Of autocast; other than float32, it is a lever by that name.
        compiled: Compiled parts; where given, they are a lever.
        frames_per_chunk: Frames that the per-frame stages see at a time.

    Attributes:
        levers: Names of all levers: those of the model, then those around it.
    """

    def __init__(
        self,
        model: ReferDINO,
        precision: Precision,
        compiled: CompiledParts | None,
        frames_per_chunk: int,
    ) -> None:
        self.model = model
        self.model.frames_per_chunk = frames_per_chunk
        self.precision = precision
        self.compiled = compiled
        self.model_levers = levers_of(model)
        self.levers = [*self.model_levers, SHARED_IMAGE]
        if precision != "float32":
            self.levers.append(precision)
        # Last: which parts are worth compiling depends on the precision.
        if compiled is not None:
            self.levers.append(COMPILE)

    def check(self, names: Collection[str]) -> None:
        """Refuse levers that there are not.

        Args:
            names: What to switch off.

        Raises:
            UnknownLeverError: There is no lever of such a name.
        """
        unknown = [name for name in names if name not in self.levers]
        if unknown:
            message = f"no lever {unknown[0]!r}; there are {', '.join(self.levers)}"
            raise UnknownLeverError(message)

    def segment(self, clip: Clip, off: Collection[str] = ()) -> None:
        """Segment every expression in the clip.

        Args:
            clip: Frames and expressions.
            off: Levers to switch off.
        """
        frames = clip.frames
        size = (frames.shape[-2], frames.shape[-1])
        with self.switched(off):
            image = None if SHARED_IMAGE in off else self.model.encode_frames(frames)
            for tokens in clip.expressions:
                features = self.model.encode_frames(frames) if image is None else image
                self.model.segment_features(features, tokens, size)

    @contextlib.contextmanager
    def switched(self, off: Collection[str]) -> Iterator[None]:
        """Switch levers off for a while, and the others around the model on.

        Args:
            off: Levers to switch off.
        """
        device = self.model.grounder.query_embeddings.weight.device
        with contextlib.ExitStack() as stack:
            stack.enter_context(levers_off(self.model, set(self.model_levers).intersection(off)))
            if self.compiled is not None and COMPILE not in off:
                stack.enter_context(self.compiled.in_use())
            if self.precision not in off:
                stack.enter_context(autocast(device, self.precision))
            yield


def detect(detector: StockDetector, clip: Clip, precision: Precision, num_frames: int) -> None:
    """Run the stock detector once per expression: it has no part to share.

    Args:
        detector: The baseline.
        clip: Frames and expressions.
        precision: Of autocast.
        num_frames: Frames per batch, as many as rvos sees at a time.
    """
    with autocast(clip.frames.device, precision):
        for tokens in clip.expressions:
            for frames in clip.frames[0].split(num_frames):
                detector(frames, tokens)


def stages_of(model: ReferDINO) -> Stages:
    """List the stages of a model in the order that they run.

    Args:
        model: The model.

    Returns:
        Title to modules; a model without temporal enhancer lacks that stage.
    """
    grounder = model.grounder
    stages: dict[str, nn.Module | list[nn.Module] | None] = {
        "backbone": grounder.image_encoder.backbone,
        "projections": list(grounder.image_encoder.projections),
        "text encoder": grounder.text_encoder,
        "fusion encoder": grounder.fusion_encoder,
        "proposals": grounder.proposal_selector,
        "query decoder": grounder.query_decoder,
        "temporal enhancer": model.temporal_enhancer,
        "pixel decoder": model.pixel_decoder,
        "mask decoder": model.mask_head,
    }
    return {title: modules for title, modules in stages.items() if modules is not None}
