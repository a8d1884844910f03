"""Frame tensors: ImageNet normalisation and the resizing rule of the field."""

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def normalise_frames(frames: UInt8[np.ndarray, "t h w 3"]) -> Float[Tensor, "t 3 h w"]:
    """Scale RGB frames to [0, 1] and normalise them with the ImageNet statistics.

    Args:
        frames: ``[T, H, W, 3]``, RGB, 0 to 255.

    Returns:
        ``[T, 3, H, W]``, contiguous float32.

    >>> normalise_frames(np.zeros((2, 4, 6, 3), dtype=np.uint8)).shape
    torch.Size([2, 3, 4, 6])
    """
    channels_first = torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2)))
    return normalise_pixels(channels_first)


def normalise_pixels(
    frames: UInt8[Tensor, "*s 3 h w"],
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float32,
) -> Float[Tensor, "*s 3 h w"]:
    """Scale frames to [0, 1] and normalise them with the ImageNet statistics.

    Args:
        frames: ``[*S, 3, H, W]``, RGB, 0 to 255.
        device: Where the result goes; None = where the frames are.
        dtype: Floating type of the result; the calculation is in single precision.

    Returns:
        ``[*S, 3, H, W]``.

    >>> black = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    >>> normalise_pixels(black)[0, :, 0, 0].tolist()
    [-2.12, -2.04, -1.80]
    """
    device = frames.device if device is None else device
    mean, std = (torch.tensor(values, device=device) for values in (IMAGENET_MEAN, IMAGENET_STD))
    scaled = frames.to(device).float().div_(255)
    return scaled.sub_(mean[:, None, None]).div_(std[:, None, None]).to(dtype)


def denormalise_frames(frames: Float[Tensor, "t 3 h w"]) -> UInt8[np.ndarray, "t h w 3"]:
    """Undo :func:`normalise_frames`, to show frames.

    Args:
        frames: ``[T, 3, H, W]``, normalised.

    Returns:
        ``[T, H, W, 3]``, RGB, 0 to 255.

    >>> black = np.zeros((1, 2, 2, 3), dtype=np.uint8)
    >>> bool((denormalise_frames(normalise_frames(black)) == black).all())
    True
    """
    mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    rgb = frames.detach().float().cpu() * std[:, None, None] + mean[:, None, None]
    scaled = rgb.mul(255.0).round().clamp(0, 255).to(torch.uint8)
    channels_last: np.ndarray = scaled.permute(0, 2, 3, 1).contiguous().numpy()
    return channels_last


def resized_size(
    height: int, width: int, short_side: int, max_long_side: int | None = None
) -> tuple[int, int]:
    """Size after resizing the shorter side, the aspect ratio kept (rule of DETR).

    Args:
        height: Present height in pixels.
        width: Present width in pixels.
        short_side: Wanted length of the shorter side.
        max_long_side: Where the longer side would pass this, both shrink.

    Returns:
        (height, width), at least 1 each.

    >>> resized_size(720, 1280, 360, 640), resized_size(480, 1152, 360, 640)
    ((360, 640), (267, 640))
    """
    shorter, longer = min(height, width), max(height, width)
    if max_long_side is not None and longer / shorter * short_side > max_long_side:
        short_side = max(1, round(max_long_side * shorter / longer))
    long_side = max(1, int(short_side * longer / shorter))
    return (short_side, long_side) if height <= width else (long_side, short_side)
