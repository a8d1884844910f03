"""Start a training from other weights, and say what was and was not found in them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from rvos.checkpoints.adapters import adapter_ranks, merge_adapters_in_state
from rvos.checkpoints.files import read_pickled_weights
from rvos.models.training_checkpoint import read_model_weights
from rvos.models.weight_sources import WeightsSource, open_weights
from rvos.structures.errors import RvosError


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
    frozen base. Adapters of the source go on training where the model has one of the same rank in
    the same place; elsewhere they are merged.

    Args:
        model: The model, changed in place.
        source: A checkpoint of ``rvos fit`` (``.ckpt``), a released ReferDINO or GroundingDINO
            file, a model folder or a hub id: anything that ``rvos.load_model`` or
            ``ReferDINO.from_grounding_dino`` takes.

    Returns:
        What was and was not found.

    Raises:
        InitialWeightsError: The source is missing or fits nothing.
        CheckpointError: The source is broken.
    """
    opened = _open(source)
    state = opened.state_dict
    own = model.state_dict()
    ranks = adapter_ranks(own)
    same = {layer for layer, rank in adapter_ranks(state).items() if ranks.get(layer) == rank}
    state = merge_adapters_in_state(state, keep=same)
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
        unused=sorted([*opened.unknown, *(state.keys() - own.keys())]),
        misshaped=sorted(misshaped),
    )


def _open(source: str) -> WeightsSource:
    if not source.endswith(".ckpt"):
        return open_weights(source)
    if not Path(source).is_file():
        message = f"initial weights {source} do not exist; train the stage before, or change path"
        raise InitialWeightsError(message)
    # Unlike `rvos.load_model`, this needs no description of the model: there is one to fill.
    weights = read_model_weights(read_pickled_weights(Path(source)), source)
    return WeightsSource(source, weights, description=None)


def _matching_name(name: str, own: Mapping[str, Tensor]) -> str:
    """Find the name of an adapted layer's base weight."""
    layer, _, leaf = name.rpartition(".")
    adapted = f"{layer}.base_layer.{leaf}"
    return adapted if name not in own and adapted in own else name


def _per_part(names: Iterable[str]) -> str:
    counts = Counter(name.split(".")[0] for name in names)
    return ", ".join(f"{part} {count}" for part, count in sorted(counts.items()))
