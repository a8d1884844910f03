"""The closed word lists of the world: shapes, colours, sizes, textures, motions, kinds."""

from typing import Literal, get_args

Shape = Literal["circle", "square", "triangle", "star", "hexagon", "cross"]
Colour = Literal["red", "green", "blue", "yellow", "purple", "orange", "cyan", "brown", "pink"]
Size = Literal["small", "large", "changing"]
Texture = Literal["plain", "striped"]
Heading = Literal["left", "right", "up", "down"]
Motion = Literal[
    "left",
    "right",
    "up",
    "down",
    "circling",
    "zigzag",
    "still",
    "starts_late",
    "stops",
    "leaves",
    "enters",
    "grows",
    "shrinks",
]
Kind = Literal["appearance", "relation", "motion", "direction", "several", "none"]
Split = Literal["train", "valid", "test", "long"]
# What the datamodule of MovingShapes reads.
Layout = Literal["mevis", "ref_youtube_vos"]
BenchmarkLayout = Literal[
    "mevis",
    "ref_youtube_vos",
    "ref_davis17",
    "a2d_sentences",
    "jhmdb_sentences",
    "refcoco",
]

SHAPES: tuple[Shape, ...] = get_args(Shape)
COLOURS: tuple[Colour, ...] = get_args(Colour)
SIZES: tuple[Size, ...] = ("small", "large")
TEXTURES: tuple[Texture, ...] = get_args(Texture)
HEADINGS: tuple[Heading, ...] = get_args(Heading)
MOTIONS: tuple[Motion, ...] = get_args(Motion)
KINDS: tuple[Kind, ...] = get_args(Kind)
SPLITS: tuple[Split, ...] = get_args(Split)
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
BENCHMARK_LAYOUTS: tuple[BenchmarkLayout, ...] = get_args(BenchmarkLayout)

OPPOSITE_HEADING: dict[Heading, Heading] = {
    "left": "right",
    "right": "left",
    "up": "down",
    "down": "up",
}
REVERSED_MOTION: dict[Motion, Motion] = {
    "left": "right",
    "right": "left",
    "up": "down",
    "down": "up",
    "circling": "circling",
    "zigzag": "zigzag",
    "still": "still",
    "starts_late": "stops",
    "stops": "starts_late",
    "leaves": "enters",
    "enters": "leaves",
    "grows": "shrinks",
    "shrinks": "grows",
}
