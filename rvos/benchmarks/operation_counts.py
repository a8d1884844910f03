"""Arithmetic and memory traffic of a pass, counted operation by operation."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from rvos.benchmarks.stage_timer import StageMeter, Stages

TOTAL = "total"
_aten = torch.ops.aten
# A sample between cells is four products and as many sums per channel.
_FLOPS_PER_SAMPLE = 8


@dataclass(frozen=True)
class OperationCount:
    """What a pass, or one of its stages, asks of the machine.

    Attributes:
        flops: Multiplications and additions of matrix products, convolutions, attention and
            sampling; elementwise operations and norms are left out.
        num_bytes: Sizes of all inputs and outputs of all operations: the memory traffic of a
            machine without caches that fuses nothing, so an upper bound.
    """

    flops: float
    num_bytes: float


class OperationCounter(TorchDispatchMode):
    """Adds up what operations compute, read and write; views cost nothing.

    torch's own ``FlopCounterMode`` knows no bytes, no sampling, and stumbles over parameters that
    are passed on without gradient.

    Attributes:
        flops: So far.
        num_bytes: So far.

    >>> with torch.no_grad(), OperationCounter() as counter:
    ...     _ = torch.ones(2, 3) @ torch.ones(3, 4)
    >>> counter.flops, counter.num_bytes  # two fills of 18 numbers, then 18 read and 8 written
    (48, 176)
    """

    flops: int = 0
    num_bytes: int = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run one operation and count it."""
        del types
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if not _is_view(func):
            self.num_bytes += _size((args, kwargs)) + _size(result)
        formula = _FORMULAS.get(func.overloadpacket) or flop_registry.get(func.overloadpacket)
        if formula is not None:
            self.flops += formula(*args, **kwargs, out_val=result)
        return result


@torch.no_grad()
def count_operations(run: Callable[[], object], stages: Stages) -> dict[str, OperationCount]:
    """Run once and count.

    Args:
        run: The pass; outside of ``torch.inference_mode``, which hides what operations consist of.
        stages: Title to modules, as for ``StageMeter``.

    Returns:
        Each stage and the whole pass, ``total``.

    >>> layer = torch.nn.Linear(3, 5, bias=False)
    >>> counts = count_operations(lambda: layer(torch.ones(2, 3)), {"layer": layer})
    >>> counts["total"].flops, counts["layer"].num_bytes  # 2 x 2 x 3 x 5; 4 x 31
    (60.0, 124.0)
    """
    counter = OperationCounter()  # type: ignore[no-untyped-call]
    with (
        counter,
        StageMeter(stages, lambda: float(counter.flops)) as flops,
        StageMeter(stages, lambda: float(counter.num_bytes)) as traffic,
    ):
        run()
    counts = {
        title: OperationCount(flops.amounts[title], traffic.amounts[title]) for title in stages
    }
    return {**counts, TOTAL: OperationCount(float(counter.flops), float(counter.num_bytes))}


def _is_view(func: Any) -> bool:
    aliases = [result.alias_info for result in func._schema.returns]
    return any(alias is not None and not alias.is_write for alias in aliases)


def _size(values: object) -> int:
    tensors: Iterable[Tensor] = (leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor))
    # What is expanded is read once: the memory behind it is what counts, at most.
    return sum(min(tensor.nbytes, tensor.untyped_storage().nbytes()) for tensor in tensors)


def _grid_sample_flops(value: Tensor, grid: Tensor, *_: object, **__: object) -> int:
    """Maps ``[N, C, H, W]`` and places ``[N, H', W', 2]``."""
    return _FLOPS_PER_SAMPLE * value.shape[1] * (grid.numel() // 2)


def _embedding_bag_flops(table: Tensor, rows: Tensor, *_: object, **__: object) -> int:
    """A table ``[R, C]`` and the rows to add up, each with a weight."""
    return 2 * rows.numel() * table.shape[-1]


def _attention_flops(query: Tensor, key: Tensor, value: Tensor, *_: object, **__: object) -> int:
    """Fused attention of ``[B, H, L, C]``: two products."""
    return 2 * query.numel() * key.shape[2] + 2 * value.numel() * query.shape[2]


def _linear_flops(input: Tensor, weight: Tensor, *_: object, **__: object) -> int:
    """Input ``[..., I]`` and weight ``[O, I]``."""
    return 2 * input.numel() * weight.shape[0]


# What torch has no formula for, on the processor or anywhere.
_FORMULAS: dict[object, Callable[..., int]] = {
    _aten.grid_sampler_2d: _grid_sample_flops,
    _aten._embedding_bag: _embedding_bag_flops,
    _aten._embedding_bag_forward_only: _embedding_bag_flops,
    _aten._scaled_dot_product_flash_attention_for_cpu: _attention_flops,
}
# Not every build of torch has oneDNN.
if hasattr(torch.ops.mkldnn, "_linear_pointwise"):
    _FORMULAS[torch.ops.mkldnn._linear_pointwise] = _linear_flops
