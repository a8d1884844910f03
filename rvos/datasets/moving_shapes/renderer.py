"""Drawing a world: anti-aliased frames and exact masks of what is visible.

Everything that reaches a pixel is computed in float64 from sums, products, square roots, sines and
cosines, and rounded once, so that the same world gives the same bytes on every machine.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from rvos.datasets.moving_shapes.vocabulary import Shape
from rvos.datasets.moving_shapes.world import World, WorldObject

SQUARE_HALF_SIDE = 0.834  # extent 1.18
CROSS_ARM, CROSS_HALF_WIDTH = 1.15, 0.42  # extent 1.22
TRIANGLE_EXTENT, STAR_EXTENT, HEXAGON_EXTENT = 1.32, 1.3, 1.08
STAR_NOTCH = 0.54  # radius of the inner corners relative to the outer ones
STRIPE_PERIOD = 7.0
OUTLINE_WIDTH = 1.6


@dataclass(frozen=True, eq=False)
class RenderedVideo:
    """A world as pixels.

    Attributes:
        frames: ``[T, H, W, 3]`` RGB.
        instances: ``[T, H, W]``, id of the visible object, 0 on background.
    """

    frames: UInt8[np.ndarray, "t h w 3"]
    instances: UInt8[np.ndarray, "t h w"]


def render(world: World) -> RenderedVideo:
    """Draw every frame of a world.

    Args:
        world: The world.

    Returns:
        Frames and the map of visible instances.

    Example:
        >>> from rvos.datasets.moving_shapes.preset import HELD_OUT
        >>> from rvos.datasets.moving_shapes.scenes import draw_world
        >>> video = render(draw_world(HELD_OUT, 24, np.random.default_rng(0)))
        >>> video.frames.shape, video.instances.shape
        ((24, 128, 192, 3), (24, 128, 192))
    """
    background = _background(world)
    frames = np.empty((world.num_frames, world.height, world.width, 3), dtype=np.uint8)
    instances = np.zeros((world.num_frames, world.height, world.width), dtype=np.uint8)
    for index in range(world.num_frames):
        canvas = background.copy()
        for item in world.objects:
            _draw_object(canvas, instances[index], item, index)
        frames[index] = np.clip(np.floor(canvas + 0.5), 0, 255).astype(np.uint8)
    return RenderedVideo(frames=frames, instances=instances)


def _draw_object(
    canvas: Float64[np.ndarray, "h w 3"],
    instances: UInt8[np.ndarray, "h w"],
    item: WorldObject,
    index: int,
) -> None:
    """Blend one object into a frame ``[H, W, 3]`` and its map ``[H, W]``, in place."""
    height, width = instances.shape
    centre_x, centre_y = item.centres_xy[index]
    reach = float(item.extents[index]) + 2.0
    left, right = max(int(centre_x - reach), 0), min(int(centre_x + reach) + 2, width)
    top, bottom = max(int(centre_y - reach), 0), min(int(centre_y + reach) + 2, height)
    if left >= right or top >= bottom:
        return
    x = np.arange(left, right)[None, :] + 0.5 - centre_x
    y = np.arange(top, bottom)[:, None] + 0.5 - centre_y
    cosine, sine = np.cos(item.angle), np.sin(item.angle)
    distance = signed_distance(
        item.appearance.shape,
        float(item.radii[index]),
        cosine * x + sine * y,
        cosine * y - sine * x,
    )
    patch = canvas[top:bottom, left:right]
    alpha = np.clip(0.5 - distance, 0.0, 1.0)[..., None]
    patch += alpha * (_paint(item, distance, x, y) - patch)
    instances[top:bottom, left:right][distance < 0.0] = item.object_id


def _paint(
    item: WorldObject,
    distance: Float64[np.ndarray, "h w"],
    x: Float64[np.ndarray, "1 w"],
    y: Float64[np.ndarray, "h 1"],
) -> Float64[np.ndarray, "h w 3"]:
    """Colour ``[H, W, 3]`` of an object: plain or striped, with a dark outline."""
    rgb = np.array(item.rgb, dtype=np.float64)
    colour = np.broadcast_to(rgb, (*distance.shape, 3))
    if item.appearance.texture == "striped":
        across = (np.cos(item.stripe_angle) * x + np.sin(item.stripe_angle) * y) / STRIPE_PERIOD
        ramp = (np.abs((across + 0.25) % 1.0 - 0.5) - 0.25) * STRIPE_PERIOD
        share = np.clip(0.5 + ramp, 0.0, 1.0)[..., None]
        colour = colour + 0.75 * share * (250.0 - colour)
    edge = np.clip(0.5 + distance + OUTLINE_WIDTH, 0.0, 1.0)[..., None]
    return colour * (1.0 - edge) + 0.4 * rgb * edge


def signed_distance(
    shape: Shape,
    radius: float,
    x: Float64[np.ndarray, "h w"],
    y: Float64[np.ndarray, "h w"],
) -> Float64[np.ndarray, "h w"]:
    """Distance to the outline of a shape, negative inside.

    Args:
        shape: The shape.
        radius: Radius in pixels of the circle of about the same area.
        x: Horizontal offsets ``[H, W]`` from the centre.
        y: Vertical offsets ``[H, W]`` from the centre.

    Returns:
        Distances ``[H, W]`` in pixels; outside corners they are those to the edges' lines.

    Example:
        >>> signed_distance("circle", 2.0, np.zeros((1, 1)), np.full((1, 1), 3.0)).item()
        1.0
    """
    if shape == "circle":
        return np.asarray(np.sqrt(x * x + y * y) - radius)
    if shape == "square":
        return np.asarray(np.maximum(np.abs(x), np.abs(y)) - SQUARE_HALF_SIDE * radius)
    if shape == "cross":
        arm, half_width = CROSS_ARM * radius, CROSS_HALF_WIDTH * radius
        level = np.maximum(np.abs(x) - arm, np.abs(y) - half_width)
        upright = np.maximum(np.abs(x) - half_width, np.abs(y) - arm)
        return np.asarray(np.minimum(level, upright))
    if shape == "triangle":
        outer = TRIANGLE_EXTENT * radius
        return _polygon_distance(3, outer, outer * 0.5, x, y)
    if shape == "hexagon":
        outer = HEXAGON_EXTENT * radius
        return _polygon_distance(6, outer, outer * float(np.sqrt(0.75)), x, y)
    outer = STAR_EXTENT * radius
    return _polygon_distance(5, outer, outer * STAR_NOTCH, x, y)


def _polygon_distance(
    corners: int,
    outer: float,
    inner: float,
    x: Float64[np.ndarray, "h w"],
    y: Float64[np.ndarray, "h w"],
) -> Float64[np.ndarray, "h w"]:
    """Distance to a star-like polygon of alternating outer and inner radius, one corner upwards."""
    half_sector = np.pi / corners
    distance = np.sqrt(x * x + y * y)
    angle = np.arctan2(x, -y)
    folded = np.abs((angle + half_sector) % (2.0 * half_sector) - half_sector)
    along, across = distance * np.cos(folded), distance * np.sin(folded)
    step_x, step_y = inner * np.cos(half_sector) - outer, inner * np.sin(half_sector)
    length = float(np.sqrt(step_x**2 + step_y**2))
    return np.asarray(((along - outer) * step_y - across * step_x) / length)


def _background(world: World) -> Float64[np.ndarray, "h w 3"]:
    """A muted background ``[H, W, 3]``: gradient, low-frequency noise or stripes, with grain."""
    rng = np.random.default_rng(world.background_seed)
    y = np.linspace(-1.0, 1.0, world.height)[:, None]
    x = np.linspace(-1.0, 1.0, world.width)[None, :] * (world.width / world.height)
    blend = np.zeros((world.height, world.width))
    style = int(rng.integers(3))
    direction = float(rng.uniform(0.0, 2.0 * np.pi))
    slope = np.cos(direction) * x + np.sin(direction) * y
    if style == 0:
        blend += 0.3 * slope
    elif style == 1:
        blend += 0.35 * np.sin(slope * float(rng.uniform(6.0, 18.0)) + float(rng.uniform(0.0, 6.0)))
    for _ in range(2 if style < 2 else 6):
        turn = float(rng.uniform(0.0, 2.0 * np.pi))
        waves = float(rng.uniform(1.0, 5.0))
        phase = waves * (np.cos(turn) * x + np.sin(turn) * y) + float(rng.uniform(0.0, 6.3))
        blend += (0.12 if style < 2 else 0.16) * np.sin(phase + 1.5 * np.sin(0.7 * waves * y + x))
    share = np.clip(0.5 + blend, 0.0, 1.0)[..., None]
    first, second = _muted_colour(rng), _muted_colour(rng)
    strength = int(rng.integers(1, 5))
    grain = rng.integers(-strength, strength + 1, size=(world.height, world.width, 1))
    return first * (1.0 - share) + second * share + grain


def _muted_colour(rng: np.random.Generator) -> Float64[np.ndarray, " 3"]:
    """A greyish colour ``[3]``."""
    return float(rng.uniform(55.0, 185.0)) + rng.uniform(-20.0, 20.0, size=3)
