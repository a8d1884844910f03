"""The parts of a model that torch.compile makes faster, compiled beside the plain ones."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from rvos.benchmarks.precision import Precision
from rvos.models.referdino import ReferDINO
from rvos.structures.errors import RvosError

_CPP_COMPILERS = ("g++", "clang++")


class CompilerMissingError(RvosError):
    """torch.compile has nothing to compile with."""


class CompiledParts:
    """Compiled forwards of some modules, taken and left again without a second copy of the weights.

    Args:
        modules: What to compile, each by itself; nothing is compiled before it first runs.

    >>> parts = CompiledParts([nn.Linear(2, 2)])
    >>> with parts.in_use():
    ...     pass
    """

    def __init__(self, modules: list[nn.Module]) -> None:
        self._forwards = [(module, torch.compile(module.forward)) for module in modules]

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Let the modules run compiled for a while; hooks on them are not compiled."""
        for module, forward in self._forwards:
            _set_forward(module, forward)
        try:
            yield
        finally:
            for module, _ in self._forwards:
                vars(module).pop("forward")


def compilable_parts(model: ReferDINO, precision: Precision) -> list[nn.Module]:
    """Choose the parts whose compilation pays.

    Args:
        model: On its device.
        precision: It will run in.

    Returns:
        Modules that do not contain each other.
    """
    grounder = model.grounder
    encoder = grounder.fusion_encoder.layers
    if grounder.query_embeddings.weight.device.type != "cpu":
        return [grounder.image_encoder.backbone, *encoder, model.mask_head]
    # In float32 most of the time is spent in products of matrices, which the levers leave to a
    # faster library than the one that compiled code calls (docs/benchmarks.md).
    return [model.mask_head] if precision == "float32" else [*encoder, model.mask_head]


def check_compiler(device: torch.device) -> None:
    """Refuse to compile where nothing can, before minutes are spent.

    Args:
        device: What computes.

    Raises:
        CompilerMissingError: There is no C++ compiler, or no Triton for an accelerator.

    >>> check_compiler(torch.device("cpu"))
    """
    named = os.environ.get("CXX")
    if not any(shutil.which(name) for name in ([named] if named else _CPP_COMPILERS)):
        message = (
            "--compile needs a C++ compiler and found none; install g++, name one in CXX, or leave "
            "--compile out"
        )
        raise CompilerMissingError(message)
    if device.type != "cpu" and not _has_triton():
        message = "--compile needs Triton on this device; install triton or leave --compile out"
        raise CompilerMissingError(message)


def _has_triton() -> bool:
    return importlib.util.find_spec("triton") is not None


def _set_forward(module: nn.Module, forward: Any) -> None:
    # On the instance: calls and hooks go on through nn.Module, whose forward this hides.
    vars(module)["forward"] = forward
