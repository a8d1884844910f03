"""The objects of one video in one label map, as Ref-DAVIS17 wants them."""

from collections.abc import Iterator

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from rvos.inference.selection import resize_mask_logits
from rvos.structures.predictions import TrackPredictions

# What an object's probability has to exceed; below the threshold it counts as none at all.
_BACKGROUND = 0.1
_THRESHOLD = 0.5


def merge_objects(probabilities: Float[Tensor, "n t h w"]) -> UInt8[Tensor, "t h w"]:
    """Give every pixel to the most probable object.

    The label of an object is its rank among the expressions plus one, not its id in the benchmark.

    Args:
        probabilities: ``[N, T, H, W]`` in [0, 1], at most 255 objects.

    Returns:
        ``[T, H, W]``: 0 where no object reaches 0.5, else the first of the most probable.

    >>> probabilities = torch.tensor([0.4, 0.7, 0.6]), torch.tensor([0.3, 0.7, 0.9])
    >>> merge_objects(torch.stack(probabilities)[:, None, None]).tolist()
    [[[0, 1, 2]]]
    """
    best = probabilities.new_full(probabilities.shape[1:], _BACKGROUND)
    labels = torch.zeros_like(best, dtype=torch.uint8)
    # Object by object: an argmax over so short an axis takes a hundred times as long on a CPU.
    for label, plane in enumerate(probabilities, start=1):
        is_better = (plane >= _THRESHOLD) & (plane > best)
        labels.masked_fill_(is_better, label)
        best = torch.where(is_better, plane, best)
    return labels


def best_track_logits(tracks: TrackPredictions) -> Float[Tensor, "t h w"]:
    """Take the best track, on the CPU, where objects are merged on every machine alike.

    Args:
        tracks: All tracks of one expression.

    Returns:
        Mask logits ``[T, H, W]`` at stride 4.
    """
    # A copy: a view would keep the logits of all tracks alive.
    return tracks.mask_logits[:, int(tracks.scores.argmax())].float().cpu().contiguous()


def merge_tracks(
    mask_logits: Float[Tensor, "n t h w"],
    input_size: tuple[int, int],
    output_size: tuple[int, int],
) -> Iterator[UInt8[Tensor, "oh ow"]]:
    """Bring one track per object to the size of the video, and merge them.

    Args:
        mask_logits: ``[N, T, H, W]`` at stride 4.
        input_size: (height, width) of the frames that the model saw.
        output_size: (height, width) of the video.

    Yields:
        Label map ``[OH, OW]`` of each frame.

    >>> logits = torch.tensor([1.0, 2.0]).reshape(2, 1, 1, 1)
    >>> [label_map.tolist() for label_map in merge_tracks(logits, (4, 4), (1, 2))]
    [[[2, 2]]]
    """
    # Frame by frame: all objects of a whole video at full size take gigabytes.
    for of_frame in mask_logits.unbind(dim=1):
        full = resize_mask_logits(of_frame, input_size, output_size)
        yield merge_objects(full[:, None].sigmoid())[0]
