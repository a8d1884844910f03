"""Grounders from pre-trained GroundingDINO files."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rvos.checkpoints.files import CheckpointError, read_folder, read_pickled_weights
from rvos.checkpoints.hub import download_folder, find_file
from rvos.checkpoints.huggingface import is_unread, rename_huggingface
from rvos.checkpoints.idea import UNUSED_KEYS
from rvos.checkpoints.recognition import recognise_released, split_tensors, unwrap
from rvos.checkpoints.referdino import rename_released
from rvos.checkpoints.renaming import StateDict
from rvos.checkpoints.report import LoadReport, compare_weights
from rvos.layers.described import build
from rvos.layers.skeleton import WithoutWeights, assign_weights
from rvos.models.grounding_dino.architectures import ArchitectureName
from rvos.models.grounding_dino.grounder import Grounder
from rvos.structures.errors import RvosError

_GROUNDER = "grounder."
# About the file, not about the model.
_NOT_ARCHITECTURE = {"architectures", "model_type", "transformers_version", "dtype", "torch_dtype"}
# GroundingDINO has no norm on the stride-4 feature; it starts as the identity and trains.
# transformers freezes batch norm and drops its counter.
_NEW = re.compile(
    r"image_encoder\.backbone\.hidden_states_norms\.stage1\.|.*\.num_batches_tracked$"
)


@dataclass
class GroundingDINOWeights:
    """What a GroundingDINO source holds, before a grounder is made of it.

    Attributes:
        source: Where the weights come from.
        architecture: As of :class:`Grounder`.
        state_dict: Tensors under the grounder's names.
        unknown: Names of the source that nothing here knows.
        unread: Names of the source that are known and that nothing reads.
        tokenizer_folder: Where the tokenizer lies; None if the source carries none.
    """

    source: str
    architecture: ArchitectureName | dict[str, Any]
    state_dict: StateDict
    unknown: list[str]
    unread: list[str]
    tokenizer_folder: Path | None = None


@dataclass
class PretrainedGrounder:
    """A grounder with pre-trained weights.

    Attributes:
        grounder: The model.
        tokenizer_folder: Where its tokenizer lies; None if the source carries none.
        report: What matched; names are the grounder's.
    """

    grounder: Grounder
    tokenizer_folder: Path | None
    report: LoadReport


def load_grounder(source: str | Path, query_pruner: nn.Module | None = None) -> PretrainedGrounder:
    """Load GroundingDINO's weights.

    Args:
        source: IDEA's ``.pth`` file, a folder of transformers' ``GroundingDinoForObjectDetection``
            (``config.json``, ``model.safetensors``), or a hub id of such a folder.
        query_pruner: As of :class:`Grounder`.

    Raises:
        CheckpointError: The source is missing, broken, or is no GroundingDINO.
    """
    path = Path(source)
    if path.suffix in {".pth", ".pt"}:
        weights = read_idea(read_pickled_weights(find_file(path)), str(path))
    else:
        weights = read_transformers(path if path.is_dir() else download_folder(str(source)))
    grounder = _build(weights, query_pruner)
    own = grounder.state_dict()
    report = compare_weights(
        weights.source, own, weights.state_dict, _NEW, weights.unknown, weights.unread
    )
    report.check()
    starts = {
        name: torch.full(own[name].shape, float(name.endswith(".weight")), dtype=own[name].dtype)
        for name in report.new
    }
    assign_weights(grounder, {**weights.state_dict, **starts})
    return PretrainedGrounder(grounder, weights.tokenizer_folder, report)


def read_idea(content: dict[str, Any], source: str) -> GroundingDINOWeights:
    """Read what IDEA's file holds.

    Args:
        content: Of the file.
        source: Its name.

    Raises:
        CheckpointError: It is no GroundingDINO of a known backbone.
    """
    released, others = split_tensors(unwrap(content))
    architecture = recognise_released(released, source)
    if architecture.has_mask_branch:
        message = f"{source} is a ReferDINO, not a GroundingDINO; load it with rvos.load_model"
        raise CheckpointError(message)
    renamed, unknown = rename_released(released)
    return GroundingDINOWeights(
        source=source,
        architecture=architecture.backbone,
        state_dict={name.removeprefix(_GROUNDER): value for name, value in renamed.items()},
        unknown=[*unknown, *others],
        unread=[key for key in released if key.endswith(UNUSED_KEYS)],
    )


def read_transformers(folder: Path) -> GroundingDINOWeights:
    """Read a folder of transformers' GroundingDINO.

    Args:
        folder: With ``config.json`` and ``model.safetensors``.

    Raises:
        CheckpointError: It holds another model, or one that is not supported.
    """
    config, weights = read_folder(folder, torch.float32)
    if config.get("model_type") != "grounding-dino":
        message = (
            f"{folder} holds a {config.get('model_type')!r}, not a 'grounding-dino' model; "
            "give another"
        )
        raise CheckpointError(message)
    if not config.get("decoder_bbox_embed_share", True):
        message = (
            f"{folder} has one box head per decoder layer; only a shared one is supported; "
            "give another"
        )
        raise CheckpointError(message)
    arguments = {name: value for name, value in config.items() if name not in _NOT_ARCHITECTURE}
    # As in the released ReferDINO; transformers' default is 0.1.
    arguments["dropout"] = 0.0
    renamed, unknown = rename_huggingface(weights)
    has_tokenizer = any((folder / name).is_file() for name in ("tokenizer.json", "vocab.txt"))
    return GroundingDINOWeights(
        source=str(folder),
        architecture=arguments,
        state_dict=renamed,
        unknown=unknown,
        unread=[key for key in weights if is_unread(key)],
        tokenizer_folder=folder if has_tokenizer else None,
    )


def _build(weights: GroundingDINOWeights, query_pruner: nn.Module | None) -> Grounder:
    arguments = {"architecture": weights.architecture, "query_pruner": query_pruner}
    path = f"{Grounder.__module__}.{Grounder.__qualname__}"
    try:
        with WithoutWeights():
            grounder: Grounder = build({"class_path": path, "init_args": arguments})
    except RvosError as error:
        message = f"{weights.source}: {error}; restore the file as it was written"
        raise CheckpointError(message) from error
    return grounder
