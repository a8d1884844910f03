"""Start a training from other weights, and say what was and was not found in them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

import rvos
from rvos.checkpoints.adapters import merge_adapters_in_state
from rvos.structures.errors import RvosError

_MODEL_PREFIX = "model."


class InitialWeightsError(RvosError):
    """The named initial weights cannot be used."""


@dataclass
class InitialWeightsReport:
    """Which parameters and buffers of the model took a value from the source.

    Attributes:
        num_loaded: Tensors taken over.
        missing: Names that the source lacks; they keep their initial value.
        unused: Names of the source that the model lacks.
        misshaped: Names that both have, in different shapes.
    """

    num_loaded: int
    missing: list[str]
    unused: list[str]
    misshaped: list[str]

    def __str__(self) -> str:
        """Write one line, with counts per part of the model."""
        line = f"{self.num_loaded} tensors loaded"
        for label, names in (
            ("new", self.missing),
            ("unused", self.unused),
            ("of another shape", self.misshaped),
        ):
            if names:
                line += f"; {len(names)} {label} ({_per_part(names)})"
        return line


def load_initial_weights(model: nn.Module, source: str) -> InitialWeightsReport:
    """Copy weights into a model wherever name and shape agree.

    A source without adapters fits a model with adapters: its weights go to the adapted layers'
    frozen base. A source with adapters fits a model without: they are merged.

    Args:
        model: The model, changed in place.
        source: A checkpoint of ``rvos fit`` (``.ckpt``) or anything ``rvos.load_model`` takes.

    Returns:
        What was and was not found.

    Raises:
        InitialWeightsError: The source is missing, is not a checkpoint or fits nothing.
    """
    state = read_model_state(source)
    own = model.state_dict()
    if not any(".lora_" in name for name in own):
        state = merge_adapters_in_state(state)
    state = {_matching_name(name, own): value for name, value in state.items()}
    misshaped = [name for name in state if name in own and state[name].shape != own[name].shape]
    loaded = {name: state[name] for name in state if name in own and name not in misshaped}
    if not loaded:
        message = f"none of the weights in {source} fits this model; check the model configuration"
        raise InitialWeightsError(message)
    model.load_state_dict(loaded, strict=False)
    return InitialWeightsReport(
        num_loaded=len(loaded),
        missing=sorted(own.keys() - state.keys()),
        unused=sorted(state.keys() - own.keys()),
        misshaped=sorted(misshaped),
    )


def read_model_state(source: str) -> dict[str, Tensor]:
    """Read the model's tensors from a training checkpoint or a model folder.

    Args:
        source: As for ``load_initial_weights``.

    Returns:
        Tensors under the model's own names.

    Raises:
        InitialWeightsError: The file is missing or is not a training checkpoint.
    """
    if not source.endswith(".ckpt"):
        return rvos.load_model(source).state_dict()
    if not Path(source).is_file():
        message = f"initial weights {source} do not exist; train the stage before, or change path"
        raise InitialWeightsError(message)
    try:
        checkpoint = torch.load(source, map_location="cpu", weights_only=True)
        state = checkpoint["state_dict"]
    except Exception as error:
        message = f"initial weights {source} are not a checkpoint of `rvos fit`: {error}"
        raise InitialWeightsError(message) from error
    return {
        name.removeprefix(_MODEL_PREFIX): value
        for name, value in state.items()
        if name.startswith(_MODEL_PREFIX)
    }


def _matching_name(name: str, own: Mapping[str, Tensor]) -> str:
    """Find the name of an adapted layer's base weight."""
    layer, _, leaf = name.rpartition(".")
    adapted = f"{layer}.base_layer.{leaf}"
    return adapted if name not in own and adapted in own else name


def _per_part(names: Iterable[str]) -> str:
    counts = Counter(name.split(".")[0] for name in names)
    return ", ".join(f"{part} {count}" for part, count in sorted(counts.items()))
