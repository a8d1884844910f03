"""What a MovingShapes world may contain; presets are fixed and versioned."""

from dataclasses import dataclass

from rvos.datasets.moving_shapes.actions import ACTIONS, ACTIONS_OF_KIND, Action
from rvos.datasets.moving_shapes.errors import MovingShapesError
from rvos.datasets.moving_shapes.motion import BORDER, GREATEST_SWING
from rvos.datasets.moving_shapes.vocabulary import KINDS, Colour, Kind, Shape, Size, Split
from rvos.datasets.moving_shapes.world import EXTENT_OF_SHAPE


@dataclass(frozen=True)
class MovingShapesPreset:
    """The rules a world is drawn by; a video is a function of preset, split, seed and index.

    Attributes:
        name: Name of the preset.
        version: Raised whenever a rule changes, so that figures name what they were measured on.
        height: Height of the frames in pixels.
        width: Width of the frames in pixels.
        num_frames: Frames of a video.
        num_frames_long: Frames of a video of the long split.
        fps: Frames per second.
        shapes: Shapes to draw from.
        colours: Colours to draw from.
        small_radius: Range of the radius of small objects, in pixels.
        large_radius: Range of the radius of large objects, in pixels.
        num_objects: Least and greatest number of objects.
        num_expressions: Least and greatest number of expressions of a video.
        kinds: Kinds of expression to write.
        actions: What expressions may say that objects do.

    Raises:
        MovingShapesError: The frames are too small for the largest object to move in, no
            expression is asked for, or the actions leave nothing to say of a kind.

    Example:
        >>> HELD_OUT.num_frames, HELD_OUT.small_radius[0]
        (24, 12.0)
    """

    name: str
    version: int
    height: int = 128
    width: int = 192
    num_frames: int = 24
    num_frames_long: int = 320
    fps: int = 12
    shapes: tuple[Shape, ...] = ("circle", "square", "triangle", "star")
    colours: tuple[Colour, ...] = ("red", "green", "blue", "yellow", "purple", "orange")
    small_radius: tuple[float, float] = (12.0, 13.5)
    large_radius: tuple[float, float] = (19.0, 21.0)
    num_objects: tuple[int, int] = (2, 6)
    num_expressions: tuple[int, int] = (3, 8)
    kinds: tuple[Kind, ...] = KINDS
    actions: tuple[Action, ...] = ACTIONS

    def __post_init__(self) -> None:
        """Refuse what no world can fulfil.

        Raises:
            MovingShapesError: A side of the frames is too short, the numbers of expressions are
                out of order, or a kind has no action.
        """
        fewest, most = self.num_expressions
        if not 1 <= fewest <= most or not self.kinds:
            message = (
                f"preset {self.name!r}: the numbers of expressions must be 1 or more, the lesser "
                "one first, and at least one kind is needed"
            )
            raise MovingShapesError(message)
        for kind in self.kinds:
            if kind in ACTIONS_OF_KIND and not self.actions_of(kind):
                message = (
                    f"preset {self.name!r}: no action is left for the kind {kind!r}; allow one of "
                    f"{', '.join(ACTIONS_OF_KIND[kind])}, or leave the kind out"
                )
                raise MovingShapesError(message)
        reach = self.large_radius[1] * max(EXTENT_OF_SHAPE[shape] for shape in self.shapes)
        least = 2.0 * (reach + GREATEST_SWING + BORDER)
        if min(self.height, self.width) < least:
            message = (
                f"preset {self.name!r}: frames of {self.height}x{self.width} leave large objects "
                f"no room to move; the shorter side must be at least {least:.0f} pixels"
            )
            raise MovingShapesError(message)

    def length(self, split: Split) -> int:
        """Number of frames of the videos of a split.

        Args:
            split: The split.

        Returns:
            The number.
        """
        return self.num_frames_long if split == "long" else self.num_frames

    def actions_of(self, kind: Kind) -> tuple[Action, ...]:
        """What expressions of a kind may say that objects do.

        Args:
            kind: The kind.

        Returns:
            The actions; none for kinds that say nothing of them.
        """
        return tuple(action for action in ACTIONS_OF_KIND.get(kind, ()) if action in self.actions)

    def radius_range(self, size: Size) -> tuple[float, float]:
        """Least and greatest radius of objects of a size class.

        Args:
            size: The size class; changing objects pass through both others.

        Returns:
            Both radii in pixels.
        """
        if size == "small":
            return self.small_radius
        if size == "large":
            return self.large_radius
        return self.small_radius[0], self.large_radius[1]


HELD_OUT = MovingShapesPreset(name="held_out", version=1)
HELD_OUT_SEED = 0
HELD_OUT_NUM_VIDEOS = 150
# SHA-256 by number of videos of the test split, see rvos.datasets.moving_shapes.digest
HELD_OUT_DIGESTS = {
    3: "1e6a6cef16ef57f9e17f25b6fa4e824a649db9478127889fff0fe4421f680c40",
    HELD_OUT_NUM_VIDEOS: "2a83d26cbe45e4cdb1f09961b951d92bf22366a6112638852446c03857209c2e",
}
TRANSFER = MovingShapesPreset(
    name="transfer",
    version=1,
    shapes=("hexagon", "cross", "circle", "star"),
    colours=("cyan", "brown", "pink", "red"),
)
PRESETS: dict[str, MovingShapesPreset] = {preset.name: preset for preset in (HELD_OUT, TRANSFER)}
