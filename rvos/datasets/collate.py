"""Batches of clips."""

from collections.abc import Sequence

import torch
from torch.nn.functional import pad

from rvos.structures.video import ClipTargets, VideoBatch, VideoSample


def collate_clips(samples: Sequence[VideoSample], size_divisibility: int = 32) -> VideoBatch:
    """Pad clips at the bottom and right to one size and stack them.

    Args:
        samples: B clips of equal length.
        size_divisibility: The padded height and width are multiples of this.

    Returns:
        The batch.

    Raises:
        ValueError: Without samples, or with clips of different lengths.
    """
    lengths = {sample.frames.shape[0] for sample in samples}
    if len(lengths) != 1:
        message = f"a batch needs clips of one length, got the lengths {sorted(lengths)}"
        raise ValueError(message)
    sizes = [(sample.frames.shape[-2], sample.frames.shape[-1]) for sample in samples]
    height = _round_up(max(h for h, _ in sizes), size_divisibility)
    width = _round_up(max(w for _, w in sizes), size_divisibility)
    (num_frames,) = lengths
    frames = samples[0].frames.new_zeros(len(samples), num_frames, 3, height, width)
    valid_pixels = torch.zeros(len(samples), num_frames, height, width, dtype=torch.bool)
    for position, (sample, (h, w)) in enumerate(zip(samples, sizes, strict=True)):
        frames[position, :, :, :h, :w] = sample.frames
        valid_pixels[position, :, :h, :w] = True
    annotations = [sample.annotation for sample in samples if sample.annotation is not None]
    return VideoBatch(
        sample_ids=[sample.sample_id for sample in samples],
        video_ids=[sample.video_id for sample in samples],
        expressions=[sample.expression for sample in samples],
        expression_kinds=[sample.expression_kind for sample in samples],
        frame_ids=[sample.frame_ids for sample in samples],
        frames=frames,
        valid_pixels=valid_pixels,
        targets=[_padded(sample.targets, height, width) for sample in samples],
        original_sizes=[sample.original_size for sample in samples],
        clip_sizes=sizes,
        annotations=annotations if len(annotations) == len(samples) else None,
        bad_samples=[each.stands_for for each in samples if each.stands_for is not None],
    )


def _round_up(length: int, divisor: int) -> int:
    return -(-length // divisor) * divisor


def _padded(targets: ClipTargets, height: int, width: int) -> ClipTargets:
    h, w = targets.masks.shape[-2:]
    return ClipTargets(
        boxes_cxcywh=targets.boxes_cxcywh,
        masks=pad(targets.masks, (0, width - w, 0, height - h)),
        present=targets.present,
        referred=targets.referred,
        annotated=targets.annotated,
    )
