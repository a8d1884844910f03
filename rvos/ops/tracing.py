"""Whether a program is being recorded, in which case it must not depend on sizes."""

import torch
from jaxtyping import Shaped
from torch import Tensor, nn


def is_traced(values: Shaped[Tensor, "*shape"]) -> bool:
    """Tell whether ``torch.compile`` or ``torch.export`` follows what is done with a tensor.

    Args:
        values: Any tensor.

    Example:
        >>> is_traced(torch.zeros(2))
        False
    """
    # Not all passes of an export say so, but none of them hands over a plain tensor.
    return torch.compiler.is_compiling() or type(values) not in (Tensor, nn.Parameter)
