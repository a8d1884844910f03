"""What a tracker would have made of the true boxes of a scene."""

import torch
from jaxtyping import Float
from torch import Tensor

from rvos.datasets.scene_batch import Scenes


def tracked_boxes(scenes: Scenes, lost_share: float) -> Float[Tensor, "p n t 4"]:
    """Let tracks hold other objects now and then, and wherever their own is not visible.

    A track goes on while its object is out of sight: then it takes a query that lies on another
    object of the scene, drawn at random, and stays with that. Where it draws itself it has no box.

    Args:
        scenes: With a box of zeros where an object is not visible.
        lost_share: Share of the frames, in [0, 1], in which a track holds any other object.

    Returns:
        Boxes ``[P, N, T, 4]`` as (cx, cy, w, h) in [0, 1]; zeros where the object drawn is not
        visible either.
    """
    boxes = scenes.boxes_cxcywh
    absent = (boxes[..., 2] == 0) & scenes.valid_objects[..., None]
    waiting_at = _random_objects(scenes, absent.shape[:2])[..., None].expand_as(absent)
    boxes = torch.where(absent[..., None], _boxes_of(scenes, waiting_at), boxes)
    lost = torch.rand(absent.shape, device=boxes.device) < lost_share
    wrong = _boxes_of(scenes, _random_objects(scenes, absent.shape))
    return torch.where(lost[..., None], wrong, boxes)


def blurred_boxes(boxes_cxcywh: Float[Tensor, "*s 4"], noise: float) -> Float[Tensor, "*s 4"]:
    """Move boxes a little; boxes of zeros stay where they are not.

    Args:
        boxes_cxcywh: ``[*S, 4]`` in [0, 1].
        noise: Standard deviation, in widths and heights of the frame.

    Returns:
        Boxes ``[*S, 4]`` in [0, 1].
    """
    present = boxes_cxcywh[..., 2:3] > 0
    blurred = boxes_cxcywh + noise * torch.randn_like(boxes_cxcywh)
    return blurred.clamp(1e-3, 1) * present


def _random_objects(scenes: Scenes, shape: tuple[int, ...]) -> Tensor:
    """Positions, in this shape, of objects that each scene has."""
    choice = torch.rand(shape, device=scenes.boxes_cxcywh.device)
    counts = scenes.valid_objects.sum(1).view(-1, *[1] * (len(shape) - 1))
    return (choice * counts).long()


def _boxes_of(scenes: Scenes, objects: Tensor) -> Tensor:
    """Boxes of the object ``[p, n, t]`` in frame t instead of those of object n."""
    boxes = scenes.boxes_cxcywh
    return boxes.gather(1, objects[..., None].expand_as(boxes))
