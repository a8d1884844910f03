"""How much of the model trains."""

import sys
from dataclasses import dataclass

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import nn


@dataclass
class PartSize:
    """Parameters of one part of a model.

    Attributes:
        name: The part's name.
        num_trainable: Parameters that train.
        num_total: All parameters.
    """

    name: str
    num_trainable: int
    num_total: int


def count_parameters(model: nn.Module, depth: int = 2) -> list[PartSize]:
    """Count the parameters of each part; a shared parameter counts in the first part it is in.

    Args:
        model: Any module.
        depth: Levels of the module tree that the parts are taken from.

    Returns:
        One entry per part that has parameters, in the order of the module tree.

    Example:
        >>> parts = nn.ModuleDict({"eyes": nn.Linear(2, 3), "ears": nn.Linear(1, 1)})
        >>> parts["ears"].requires_grad_(False)
        Linear(in_features=1, out_features=1, bias=True)
        >>> count_parameters(parts, depth=1)[1]
        PartSize(name='ears', num_trainable=0, num_total=2)
    """
    parts: dict[str, PartSize] = {}
    for name, parameter in model.named_parameters():
        part = ".".join(name.split(".")[:-1][:depth]) or name
        size = parts.setdefault(part, PartSize(part, 0, 0))
        size.num_total += parameter.numel()
        size.num_trainable += parameter.numel() if parameter.requires_grad else 0
    return list(parts.values())


def format_parameter_table(parts: list[PartSize]) -> str:
    """Write the counts as aligned columns with a total.

    Args:
        parts: The counts.

    Returns:
        Several lines.

    Example:
        >>> print(format_parameter_table([PartSize("eyes", 0, 1200), PartSize("ears", 34, 34)]))
        part     trainable    total
        eyes             0    1,200
        ears            34       34
        total           34    1,234
    """
    trainable, total = sum(p.num_trainable for p in parts), sum(p.num_total for p in parts)
    rows = [*parts, PartSize("total", trainable, total)]
    names = max(len(row.name) for row in rows)
    numbers = max(len("trainable"), len(f"{total:,}"))
    width = max(len("total"), len(f"{total:,}"))
    lines = [f"{'part':<{names}}    {'trainable':>{numbers}}    {'total':>{width}}"]
    lines += [
        f"{row.name:<{names}}    {row.num_trainable:>{numbers},}    {row.num_total:>{width},}"
        for row in rows
    ]
    return "\n".join(lines)


class ParameterTable(Callback):
    """Print trainable and total parameters per part when a fit starts.

    Args:
        depth: Levels of the model's tree that the parts are taken from.
    """

    def __init__(self, depth: int = 2) -> None:
        self.depth = depth

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the table once, on the first process.

        Args:
            trainer: The trainer.
            pl_module: The task; its ``model`` is counted, or the task itself without one.
        """
        model = getattr(pl_module, "model", pl_module)
        if trainer.is_global_zero:
            table = format_parameter_table(count_parameters(model, self.depth))
            sys.stdout.write(f"{table}\n")
