"""Masks of the queries that the matcher has chosen."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from rvos.losses.predictions import SupervisedLayer
from rvos.ops.assignment import Assignment
from rvos.ops.precision import at_least_float32


def matched_masks(
    layers: Sequence[SupervisedLayer], assignments: Sequence[Assignment]
) -> list[Float[Tensor, "_m t h w"]]:
    """Compute the masks of the matched queries, those of all layers together.

    Every target has a place, and the query that it is matched with is asked for; so sizes do not
    depend on the assignment, and nothing waits for it.

    Args:
        layers: All layers of one output.
        assignments: Rows are queries, columns are targets.

    Returns:
        Logits ``[M, T, H, W]`` per layer, in single precision at least.
    """
    chosen: list[Tensor] = [torch.empty(0)] * len(layers)
    for layer, assignment in zip(layers, assignments, strict=True):
        num_clips, num_targets, num_frames = layer.targets.present.shape
        queries = assignment.rows.new_zeros(num_clips, num_targets)
        queries[assignment.batch, assignment.columns] = assignment.rows
        chosen[layer.masks.position] = queries.repeat_interleave(num_frames, dim=0)
    masks = layers[0].masks.source.of_queries(chosen)
    matched = []
    for layer, assignment in zip(layers, assignments, strict=True):
        clips = masks[layer.masks.position].unflatten(0, (-1, layer.targets.present.shape[2]))
        matched.append(at_least_float32(clips[assignment.batch, :, assignment.columns]))
    return matched
