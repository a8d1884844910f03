"""Everything weights can come from, opened the same way."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from rvos.checkpoints.files import (
    CONFIG_NAME,
    CheckpointError,
    read_config,
    read_folder,
    read_pickled_weights,
)
from rvos.checkpoints.hub import download_folder, find_file
from rvos.checkpoints.idea import UNUSED_KEYS
from rvos.checkpoints.recognition import (
    ReleasedArchitecture,
    recognise_released,
    split_tensors,
    unwrap,
)
from rvos.checkpoints.referdino import rename_released
from rvos.checkpoints.renaming import StateDict
from rvos.layers.described import Description
from rvos.models.grounding_dino import ExpressionTokenizer
from rvos.models.grounding_dino.pretrained import (
    GroundingDINOWeights,
    read_idea,
    read_transformers,
)
from rvos.models.training_checkpoint import (
    is_training_checkpoint,
    read_model_description,
    read_model_weights,
)

BUNDLED = Path(__file__).parent.parent / "weights"
# Files that torch.save wrote.
PICKLED_SUFFIXES = {".pth", ".pt", ".ckpt"}
_PARTS = "rvos.models.referdino"


@dataclass
class WeightsSource:
    """What a source holds, before a model is made of it.

    Attributes:
        source: Where the weights come from.
        state_dict: Tensors under the names of :class:`ReferDINO`; adapters under peft's.
        description: What rebuilds the model; None if the source holds only the grounder.
        unknown: Names of the source that nothing here knows.
        unread: Names of the source that are known and that nothing reads.
        tokenizer: The source's own; None if it carries none.
    """

    source: str
    state_dict: StateDict
    description: Description | None
    unknown: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    tokenizer: ExpressionTokenizer | None = None


def open_weights(source: str | Path) -> WeightsSource:
    """Read weights of any supported kind and recognise what they are.

    Args:
        source: A bundled name, a file (released ReferDINO, IDEA's GroundingDINO, a checkpoint of
            `rvos fit`), a folder (``save_pretrained`` of this project or of transformers'
            GroundingDINO), or a hub id: ``user/name`` of a folder, ``user/name/file.pth``.

    Returns:
        What is in it.

    Raises:
        CheckpointError: The source is missing, broken or not recognised.
    """
    path = Path(source)
    if path.suffix in PICKLED_SUFFIXES and not path.is_dir():
        return _open_file(find_file(path))
    return _open_folder(_folder(str(source)))


def _folder(source: str) -> Path:
    if (BUNDLED / source / CONFIG_NAME).is_file():
        return BUNDLED / source
    if Path(source).is_dir():
        return Path(source)
    if Path(source).exists():
        message = f"{source} is no weights file: give a .pth file, a model folder or a hub id"
        raise CheckpointError(message)
    return download_folder(source, ", ".join(sorted(path.name for path in BUNDLED.glob("*/"))))


def _open_folder(folder: Path) -> WeightsSource:
    config = read_config(folder)
    if "model_type" in config and "model" not in config:
        return _from_grounding_dino(read_transformers(folder))
    _, state_dict = read_folder(folder, torch.float32)
    description = config.get("model", {})
    if not isinstance(description, dict):
        message = f"{folder / CONFIG_NAME} describes no model; restore the folder as it was written"
        raise CheckpointError(message)
    has_tokenizer = any((folder / name).is_file() for name in ("tokenizer.json", "vocab.txt"))
    return WeightsSource(
        source=str(folder),
        state_dict=state_dict,
        description=description,
        tokenizer=ExpressionTokenizer(folder) if has_tokenizer else None,
    )


def _open_file(path: Path) -> WeightsSource:
    content = read_pickled_weights(path)
    source = str(path)
    if is_training_checkpoint(content):
        description, tokenizer = read_model_description(content, source)
        state_dict = read_model_weights(content, source)
        return WeightsSource(source, state_dict, description, tokenizer=tokenizer)
    released, others = split_tensors(unwrap(content))
    architecture = recognise_released(released, source)
    if not architecture.has_mask_branch:
        return _from_grounding_dino(read_idea(content, source))
    state_dict, unknown = rename_released(released)
    return WeightsSource(
        source=source,
        state_dict=state_dict,
        description=_describe_released(architecture),
        unknown=[*unknown, *others],
        unread=[key for key in released if key.endswith(UNUSED_KEYS)],
    )


def _from_grounding_dino(weights: GroundingDINOWeights) -> WeightsSource:
    folder = weights.tokenizer_folder
    return WeightsSource(
        source=weights.source,
        state_dict={f"grounder.{name}": value for name, value in weights.state_dict.items()},
        description=None,
        unknown=weights.unknown,
        unread=weights.unread,
        tokenizer=None if folder is None else ExpressionTokenizer(folder),
    )


def _describe_released(architecture: ReleasedArchitecture) -> Description:
    dim = architecture.hidden_dim
    temporal_decoder: dict[str, Any] = {"hidden_dim": dim}
    if architecture.num_temporal_blocks:
        # Without any, the report says which tensors of the published ones are missing.
        temporal_decoder["num_layers"] = architecture.num_temporal_blocks
    return _part(
        "ReferDINO",
        grounder={
            "class_path": "rvos.models.grounding_dino.Grounder",
            "init_args": {"architecture": architecture.backbone},
        },
        temporal_enhancer=_part(
            "ObjectConsistentTemporalEnhancer",
            tracker=_part("MemoryAugmentedTracker"),
            temporal_decoder=_part("CrossModalTemporalDecoder", **temporal_decoder),
        ),
        pixel_decoder=_part(
            "FPNPixelDecoder", hidden_dim=dim, stage0_channels=architecture.stage0_channels
        ),
        mask_head=_part("GroundingGuidedMaskDecoder", hidden_dim=dim),
    )


def _part(name: str, **arguments: Any) -> Description:
    return {"class_path": f"{_PARTS}.{name}", "init_args": arguments}
