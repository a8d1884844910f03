"""What the demo learns, on how much, and for how long."""

from dataclasses import dataclass
from typing import Literal

from rvos.datasets.moving_shapes.vocabulary import KINDS, Kind
from rvos.inference.selection import ThresholdUnion, TopOne, TrackSelection
from rvos.models.adaptation import Trainable

KINDS_WITH_TARGET: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind != "none")


@dataclass(frozen=True)
class DemoSettings:
    """Everything that the demo's figures depend on; sized for minutes on two cores.

    Attributes:
        weights: Where it starts from: anything ``rvos.load_model`` takes.
        seed: Seed of the training videos, of the order of clips and of new parameters.
        num_training_videos: Videos to learn from.
        num_test_videos: Videos of the held-out test split to score on.
        training_kinds: Kinds of expression to learn from.
        test_kinds: Kinds of expression to score.
        shown_kind: Kind of the expression that the overlay shows.
        trainable: What trains, see ``AdaptationPolicy``.
        deep_supervision: Whether earlier decoder layers and proposals are supervised too; pointless
            where only the temporal enhancer trains.
        num_steps: Optimizer steps.
        num_warm_up_steps: Steps until the full learning rate.
        batch_size: Clips per step.
        num_frames: Frames per clip, every third one of a video.
        learning_rate: Of AdamW; it falls to zero along half a cosine.
        weight_decay: Of AdamW.
        gradient_clip: Largest norm of the gradient.
        precision: Lightning's name of the number format.
        union_threshold: Tracks above this mean score make up the answer; None takes the best one.
        num_workers: Processes that read clips.
        steps_per_checkpoint: Steps that an interruption can cost at most.
        steps_per_log: Steps from one point of the curves to the next.

    >>> DemoSettings(seed=1).seed
    1
    """

    weights: str = "tiny_image"
    seed: int = 0
    num_training_videos: int = 150
    num_test_videos: int = 20
    training_kinds: tuple[Kind, ...] = KINDS
    # Not `none`: both selections always name some track, so that kind would stand at 0.
    test_kinds: tuple[Kind, ...] = KINDS_WITH_TARGET
    shown_kind: Kind = "direction"
    trainable: Trainable = "temporal"
    deep_supervision: bool = False
    num_steps: int = 200
    num_warm_up_steps: int = 20
    batch_size: int = 8
    num_frames: int = 8
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    gradient_clip: float = 1.0
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    union_threshold: float | None = None
    num_workers: int = 1
    steps_per_checkpoint: int = 20
    steps_per_log: int = 5

    @property
    def selection(self) -> TrackSelection:
        """Which tracks make up the answer."""
        return TopOne() if self.union_threshold is None else ThresholdUnion(self.union_threshold)
