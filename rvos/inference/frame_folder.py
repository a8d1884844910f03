"""Folders of pictures, and single pictures, as videos."""

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from rvos.inference.video_frame import (
    DamagedVideoError,
    VideoFrame,
    VideoReadError,
    flatten_alpha,
)
from rvos.ops.picture_limits import PICTURE_ERRORS, open_picture

IMAGE_SUFFIXES = frozenset(
    {".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
_BITS_TO_DROP = 8


class FrameFolder:
    """The pictures of a folder in natural order (2 before 10), or a single picture.

    Files that are no pictures, hidden ones too, are passed over. Pictures have no timestamps:
    frame k is shown at k / ``frame_rate`` seconds.

    Args:
        path: A folder, or a picture, which is a video of one frame.
        frame_rate: Frames per second.

    Raises:
        VideoReadError: Missing, no picture in it, or the first one is unreadable.

    >>> FrameFolder(Path("missing"), Fraction(24))
    Traceback (most recent call last):
    rvos.inference.video_frame.VideoReadError: there is no video missing; ...
    """

    def __init__(self, path: Path, frame_rate: Fraction) -> None:
        self.path = path
        self.name = str(path)
        self.frame_rate = frame_rate
        self.time_base = 1 / frame_rate
        self.sample_aspect_ratio: Fraction | None = None
        self.image_paths = self._find_images()
        self.num_frames_estimate: int | None = len(self.image_paths)
        height, width, _ = read_image(self.image_paths[0]).shape
        self.size = (height, width)

    def __iter__(self) -> Iterator[VideoFrame]:
        """Read from the start.

        Raises:
            VideoReadError: A picture cannot be read or has another size.
        """
        for index, path in enumerate(self.image_paths):
            try:
                image = read_image(path)
            except VideoReadError as error:
                raise DamagedVideoError(str(error), index) from error
            if image.shape[:2] != self.size:
                message = (
                    f"{path} is {image.shape[1]}x{image.shape[0]}, {self.image_paths[0].name} is "
                    f"{self.size[1]}x{self.size[0]}; the frames of a video have one size"
                )
                raise VideoReadError(message)
            yield VideoFrame(index, path.stem, index, index / float(self.frame_rate), image)

    def _find_images(self) -> list[Path]:
        if self.path.is_file():
            return [self.path]
        if not self.path.is_dir():
            message = f"there is no video {self.path}; check the path"
            raise VideoReadError(message)
        try:
            names = sorted((path.name for path in self.path.iterdir()), key=natural_key)
        except OSError as error:
            message = f"the folder {self.path} cannot be read ({error}); check its permissions"
            raise VideoReadError(message) from error
        images = [self.path / name for name in names if _is_image(name)]
        if not images:
            kinds = ", ".join(sorted(IMAGE_SUFFIXES))
            message = f"the folder {self.path} holds no frame; put pictures into it ({kinds})"
            raise VideoReadError(message)
        stems: dict[str, Path] = {}
        for image in images:
            twin = stems.setdefault(image.stem, image)
            if twin != image:
                message = f"{twin} and {image.name} have the same frame name; keep one of the two"
                raise VideoReadError(message)
        return images


def natural_key(name: str) -> list[tuple[int, str]]:
    """Sort key that compares the numbers in names as numbers.

    Args:
        name: A file name.

    Returns:
        Alternating text and numbers.

    >>> sorted(["10.png", "9.png", "a.png"], key=natural_key)
    ['9.png', '10.png', 'a.png']
    """
    # Every second part is a number.
    parts = enumerate(re.split(r"([0-9]+)", name))
    key = [(int(part), "") if index % 2 else (-1, part) for index, part in parts]
    # The name itself breaks the tie of 1.png and 01.png.
    return [*key, (-1, name)]


def read_image(path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """Read a picture upright as RGB: alpha is put on white, greyscale and palettes are expanded.

    Args:
        path: The file.

    Returns:
        RGB ``[H, W, 3]``.

    Raises:
        VideoReadError: Missing, unreadable, truncated or animated.

    >>> read_image(Path("missing.png"))
    Traceback (most recent call last):
    rvos.inference.video_frame.VideoReadError: the picture missing.png cannot be read ...
    """
    try:
        with open_picture(path) as opened:
            if getattr(opened, "n_frames", 1) > 1 and path.suffix.lower() in {".png", ".webp"}:
                message = f"{path} is an animated picture; convert it to gif or mp4 first"
                raise VideoReadError(message)
            return image_to_rgb(ImageOps.exif_transpose(opened))
    except PICTURE_ERRORS as error:
        message = f"the picture {path} cannot be read ({error}); write it again"
        raise VideoReadError(message) from error


def image_to_rgb(image: Image.Image) -> UInt8[np.ndarray, "h w 3"]:
    """Convert a picture of any mode to RGB.

    Args:
        image: The picture; 16-bit greyscale keeps its upper 8 bits.

    Returns:
        RGB ``[H, W, 3]``.

    >>> image_to_rgb(Image.new("L", (3, 2), 7))[0, 0].tolist()
    [7, 7, 7]
    """
    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.int64) >> _BITS_TO_DROP
        image = Image.fromarray(grey.clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        return flatten_alpha(np.array(image.convert("RGBA")))
    return np.array(image.convert("RGB"))


def _is_image(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() in IMAGE_SUFFIXES
