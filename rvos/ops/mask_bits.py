"""Masks as bits for the way from the device to the host: an eighth of the bytes."""

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

_BITS = 8


def pack_bits(masks: Bool[Tensor, "*n w"]) -> UInt8[Tensor, "*n s"]:
    """Pack the pixels of rows on the device where they are.

    Args:
        masks: ``[*N, W]``.

    Returns:
        ``[*N, S]`` with S = ceil(W / 8); pixel x is bit x % 8 of byte x // 8.

    >>> pack_bits(torch.tensor([True, False, True, False, False, False, False, False, True]))
    tensor([5, 1], dtype=torch.uint8)
    """
    padded = torch.nn.functional.pad(masks.to(torch.uint8), (0, -masks.shape[-1] % _BITS))
    eights = padded.unflatten(-1, (-1, _BITS))
    packed: Tensor = eights[..., 0].clone()
    for bit in range(1, _BITS):
        packed |= eights[..., bit] << bit
    return packed


def unpack_bits(packed: UInt8[Tensor, "*n s"], width: int) -> Bool[Tensor, "*n w"]:
    """Undo :func:`pack_bits` on the host.

    Args:
        packed: ``[*N, S]`` in the host's memory.
        width: W.

    Returns:
        ``[*N, W]``.

    >>> unpack_bits(torch.tensor([5, 1], dtype=torch.uint8), 9).int().tolist()
    [1, 0, 1, 0, 0, 0, 0, 0, 1]
    """
    bits = np.unpackbits(packed.numpy(), axis=-1, count=width, bitorder="little")
    return torch.from_numpy(bits.view(bool))


def masks_to_host(masks: Bool[Tensor, "*n w"]) -> Bool[Tensor, "*n w"]:
    """Bring masks into the host's memory, as bits where they come from another device.

    Args:
        masks: ``[*N, W]``.

    Returns:
        ``[*N, W]``.
    """
    if masks.device.type == "cpu":
        return masks
    return unpack_bits(pack_bits(masks).cpu(), masks.shape[-1])
