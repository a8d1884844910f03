"""Gradient norms per part of a model."""

import torch
from torch import Tensor, nn


def part_gradient_norms(task: nn.Module) -> dict[str, float]:
    """Measure the gradients, waiting for the device once.

    Args:
        task: A task; its ``model``, or the task itself without one, is divided into the modules
            that it is directly made of.

    Returns:
        ``optimizer/gradient_norm`` of everything and ``gradient_norm/<part>``; nothing without
        gradients. A parameter that parts share counts in the first one.

    >>> layer = nn.Linear(1, 1)
    >>> layer(torch.full((1, 1), 3.0)).sum().backward()
    >>> round(part_gradient_norms(layer)["optimizer/gradient_norm"], 3)
    3.162
    """
    gradients: dict[str, list[Tensor]] = {}
    for name, parameter in task.named_parameters():
        if parameter.grad is not None:
            owner, _, rest = name.partition(".")
            part = rest.partition(".")[0] if owner == "model" else owner
            gradients.setdefault(part, []).append(parameter.grad)
    if not gradients:
        return {}
    norms = torch.stack([torch.nn.utils.get_total_norm(each) for each in gradients.values()])
    total, *parts = torch.cat([torch.linalg.vector_norm(norms)[None], norms]).tolist()
    values = {f"gradient_norm/{part}": norm for part, norm in zip(gradients, parts, strict=True)}
    return {"optimizer/gradient_norm": total, **values}
