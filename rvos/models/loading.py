"""Models from names, folders, released files, training checkpoints and the hub."""

from dataclasses import dataclass
from pathlib import Path

import torch

from rvos.checkpoints.adapters import adapter_ranks, merge_adapters_in_state
from rvos.checkpoints.files import CheckpointError
from rvos.checkpoints.renaming import StateDict
from rvos.checkpoints.report import LoadReport, compare_weights
from rvos.layers.described import build
from rvos.layers.skeleton import WithoutWeights, assign_weights
from rvos.models.adaptation import adapt_layers
from rvos.models.grounding_dino import ExpressionTokenizer
from rvos.models.referdino import ReferDINO
from rvos.models.weight_sources import WeightsSource, open_weights
from rvos.structures.errors import RvosError


@dataclass
class LoadedModel:
    """A model and what of its weights came from where.

    Attributes:
        model: In evaluation mode.
        report: What matched; names are the model's.
    """

    model: ReferDINO
    report: LoadReport


def load_model(
    source: str | Path,
    tokenizer: str | Path | None = None,
    device: str | torch.device = "cpu",
    dtype: torch.dtype | None = None,
    keep_adapters: bool = False,
) -> ReferDINO:
    """Load a model for inference: evaluation mode, adapters merged.

    Args:
        source: ``"tiny"`` or ``"tiny_image"`` (in the package), a folder written by
            ``save_pretrained``, a released ReferDINO ``.pth`` file, a ``.ckpt`` of `rvos fit`, or a
            hub id. The architecture is recognised; no configuration is needed.
        tokenizer: Folder or hub id; None = what the source carries, else bert-base-uncased from the
            hub's cache, which is opened only when text comes in.
        device: Where to put the model.
        dtype: Of the parameters; None = float32.
        keep_adapters: Keep the source's LoRA as peft adapters, to go on training them, instead of
            merging it into the weights. The outputs are the same.

    Returns:
        The model.

    Raises:
        CheckpointError: The source is missing, broken, or is not a ReferDINO.
    """
    model = load_with_report(open_weights(source), tokenizer, keep_adapters).model
    return model.to(device=device, dtype=dtype or torch.float32)


def load_with_report(
    weights: WeightsSource, tokenizer: str | Path | None = None, keep_adapters: bool = False
) -> LoadedModel:
    """Make a model of opened weights.

    Args:
        weights: From ``open_weights``. Its tensors become the model's.
        tokenizer: As of :func:`load_model`.
        keep_adapters: As of :func:`load_model`.

    Returns:
        The model in evaluation mode, and what matched.

    Raises:
        CheckpointError: The weights are not those of a ReferDINO, or do not fit it.
    """
    state_dict = _in_single_precision(weights.state_dict)
    ranks = adapter_ranks(state_dict) if keep_adapters else {}
    state_dict = merge_adapters_in_state(state_dict, keep=ranks)
    model = _build(weights)
    if ranks:
        with WithoutWeights():
            adapt_layers(model, ranks)
    report = compare_weights(
        weights.source,
        model.state_dict(),
        state_dict,
        unknown=weights.unknown,
        unread=weights.unread,
    )
    report.check()
    assign_weights(model, state_dict)
    max_tokens = model.tokenizer.max_tokens
    if tokenizer is not None:
        model.tokenizer = ExpressionTokenizer(tokenizer, max_tokens)
    elif weights.tokenizer is not None:
        model.tokenizer = weights.tokenizer
        model.tokenizer.max_tokens = max_tokens
    return LoadedModel(model.eval(), report)


def _in_single_precision(state_dict: StateDict) -> StateDict:
    """Convert one by one; the originals go as they are converted, so that no two copies stay."""
    names = list(state_dict)
    converted = {}
    for name in names:
        value = state_dict.pop(name).detach()
        converted[name] = value.float() if value.is_floating_point() else value
    return converted


def _build(weights: WeightsSource) -> ReferDINO:
    if weights.description is None:
        message = (
            f"{weights.source} holds a GroundingDINO, which makes no masks before it is trained "
            "to: start from it with `rvos convert`, ReferDINO.from_grounding_dino or "
            "initial_weights"
        )
        raise CheckpointError(message)
    try:
        with WithoutWeights():
            model = build(weights.description)
    except RvosError as error:
        message = f"{weights.source}: {error}; restore the file as it was written"
        raise CheckpointError(message) from error
    if not isinstance(model, ReferDINO):
        message = f"{weights.source} does not hold a ReferDINO; give the weights of one"
        raise CheckpointError(message)
    return model
