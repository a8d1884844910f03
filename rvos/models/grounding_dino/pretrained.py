"""Grounders from pre-trained GroundingDINO files."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rvos.checkpoints.files import CheckpointError, read_folder, read_pickled_weights
from rvos.checkpoints.hub import download_folder
from rvos.checkpoints.huggingface import rename_huggingface
from rvos.checkpoints.referdino import rename_released
from rvos.checkpoints.renaming import StateDict
from rvos.models.grounding_dino.architectures import ArchitectureName
from rvos.models.grounding_dino.grounder import Grounder

# By the width of the patch embedding.
_BACKBONES: dict[int, ArchitectureName] = {96: "swin_tiny", 128: "swin_base"}
# About the file, not about the model.
_NOT_ARCHITECTURE = {"architectures", "model_type", "transformers_version", "dtype", "torch_dtype"}
# GroundingDINO has no norm on the stride-4 feature; it starts as the identity and trains.
# transformers freezes batch norm and drops its counter.
_NEW = re.compile(
    r"image_encoder\.backbone\.hidden_states_norms\.stage1\.|.*\.num_batches_tracked$"
)


@dataclass
class PretrainedGrounder:
    """A grounder with pre-trained weights.

    Attributes:
        grounder: The model.
        tokenizer_folder: Where its tokenizer lies; None if the source carries none.
    """

    grounder: Grounder
    tokenizer_folder: Path | None


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
        return PretrainedGrounder(_from_idea(path, query_pruner), None)
    folder = path if path.is_dir() else download_folder(str(source))
    has_tokenizer = any((folder / name).is_file() for name in ("tokenizer.json", "vocab.txt"))
    grounder = _from_transformers(folder, query_pruner)
    return PretrainedGrounder(grounder, folder if has_tokenizer else None)


def _from_idea(path: Path, query_pruner: nn.Module | None) -> Grounder:
    content = read_pickled_weights(path)
    weights: dict[str, Any] = content.get("model", content)
    released = {key.removeprefix("module."): value for key, value in weights.items()}
    width = released.get("backbone.0.patch_embed.norm.weight", torch.empty(0)).shape[0]
    if width not in _BACKBONES or "transformer.tgt_embed.weight" not in released:
        message = f"{path} is not a GroundingDINO file of a known backbone (Swin-T or Swin-B)"
        raise CheckpointError(message)
    renamed, unknown = rename_released(released)
    state_dict = {name.removeprefix("grounder."): value for name, value in renamed.items()}
    return _fill(Grounder(_BACKBONES[width], query_pruner), state_dict, unknown, path)


def _from_transformers(folder: Path, query_pruner: nn.Module | None) -> Grounder:
    config, weights = read_folder(folder)
    if config.get("model_type") != "grounding-dino":
        message = f"{folder} holds a {config.get('model_type')!r}, not a 'grounding-dino' model"
        raise CheckpointError(message)
    if not config.get("decoder_bbox_embed_share", True):
        message = f"{folder} has one box head per decoder layer; only a shared one is supported"
        raise CheckpointError(message)
    arguments = {name: value for name, value in config.items() if name not in _NOT_ARCHITECTURE}
    # As in the released ReferDINO; transformers' default is 0.1.
    arguments["dropout"] = 0.0
    renamed, unknown = rename_huggingface(weights)
    return _fill(Grounder(arguments, query_pruner), renamed, unknown, folder)


def _fill(grounder: Grounder, weights: StateDict, unknown: list[str], source: Path) -> Grounder:
    own = grounder.state_dict()
    missing = sorted(name for name in own.keys() - weights.keys() if not _NEW.match(name))
    foreign = sorted([*unknown, *(weights.keys() - own.keys())])
    if missing or foreign:
        message = (
            f"weights in {source} do not fit GroundingDINO: "
            f"{len(missing)} missing ({', '.join(missing[:3])}), "
            f"{len(foreign)} unknown ({', '.join(foreign[:3])})"
        )
        raise CheckpointError(message)
    try:
        grounder.load_state_dict({**own, **weights})
    except RuntimeError as error:
        message = f"weights in {source} do not fit: {str(error).splitlines()[1].strip()}"
        raise CheckpointError(message) from error
    return grounder
