"""Models from names, folders, released files and the hub."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rvos.checkpoints.files import CheckpointError, read_folder, read_pickled_weights
from rvos.checkpoints.hub import download_folder
from rvos.checkpoints.referdino import merge_lora, rename_released
from rvos.layers.described import build
from rvos.models.adaptation import merge_adapters
from rvos.models.grounding_dino import ExpressionTokenizer, Grounder
from rvos.models.referdino import (
    CrossModalTemporalDecoder,
    FPNPixelDecoder,
    GroundingGuidedMaskDecoder,
    MemoryAugmentedTracker,
    ObjectConsistentTemporalEnhancer,
    ReferDINO,
)

BUNDLED = Path(__file__).parent.parent / "weights"
_BACKBONE_OF_WIDTH = {96: "swin_tiny", 128: "swin_base"}


def load_model(
    source: str | Path,
    tokenizer: str | Path | None = None,
    device: str | torch.device = "cpu",
    dtype: torch.dtype | None = None,
) -> ReferDINO:
    """Load a model for inference: evaluation mode, adapters merged.

    Args:
        source: ``"tiny"`` or ``"tiny_image"`` (in the package), a folder written by
            ``save_pretrained``, a released ReferDINO ``.pth`` file, or a hub id.
        tokenizer: Folder or hub id; None = what the source carries, else bert-base-uncased from the
            hub's cache, which is opened only when text comes in.
        device: Where to put the model.
        dtype: Of the parameters; None = float32.

    Returns:
        The model.

    Raises:
        CheckpointError: The source is missing, broken, or is not a ReferDINO.
    """
    path = Path(source)
    if path.suffix in {".pth", ".pt"}:
        model = _from_released(path)
    else:
        model = _from_folder(_folder(str(source)))
    if tokenizer is not None:
        model.tokenizer = ExpressionTokenizer(tokenizer, model.tokenizer.max_tokens)
    return merge_adapters(model).to(device=device, dtype=dtype or torch.float32).eval()


def _folder(source: str) -> Path:
    if (BUNDLED / source / "config.json").is_file():
        return BUNDLED / source
    if Path(source).is_dir():
        return Path(source)
    if Path(source).exists():
        message = f"{source} is no weights file: give a .pth file, a model folder or a hub id"
        raise CheckpointError(message)
    return download_folder(source, ", ".join(sorted(path.name for path in BUNDLED.glob("*/"))))


def _from_folder(folder: Path) -> ReferDINO:
    config, state_dict = read_folder(folder)
    model = build(config.get("model"))
    if not isinstance(model, ReferDINO):
        message = f"{folder} does not hold a ReferDINO"
        raise CheckpointError(message)
    _load(model, {name: value.float() for name, value in state_dict.items()}, str(folder))
    if (folder / "tokenizer.json").is_file() or (folder / "vocab.txt").is_file():
        model.tokenizer = ExpressionTokenizer(folder, model.tokenizer.max_tokens)
    return model


def _from_released(path: Path) -> ReferDINO:
    content = read_pickled_weights(path)
    released: dict[str, Any] = content.get("model_state_dict", content)
    width = released.get("backbone.0.patch_embed.norm.weight", torch.empty(0)).shape[0]
    if width not in _BACKBONE_OF_WIDTH or "pixel_decoder.out_lay.weight" not in released:
        message = f"{path} is not a released ReferDINO file: its keys are not ReferDINO's"
        raise CheckpointError(message)
    state_dict, unknown = rename_released(merge_lora(released))
    if unknown:
        message = f"{path} holds keys that ReferDINO does not know: {', '.join(unknown[:5])}"
        raise CheckpointError(message)
    prefix = "temporal_enhancer.temporal_decoder.blocks."
    blocks = {key.removeprefix(prefix).split(".")[0] for key in state_dict if prefix in key}
    model = ReferDINO(
        grounder=Grounder(_BACKBONE_OF_WIDTH[width]),  # type: ignore[arg-type]
        temporal_enhancer=ObjectConsistentTemporalEnhancer(
            MemoryAugmentedTracker(), CrossModalTemporalDecoder(num_layers=len(blocks))
        ),
        pixel_decoder=FPNPixelDecoder(stage0_channels=width),
        mask_head=GroundingGuidedMaskDecoder(),
    )
    _load(model, state_dict, str(path))
    return model


def _load(model: ReferDINO, state_dict: dict[str, Tensor], source: str) -> None:
    try:
        model.load_state_dict(state_dict)
    except RuntimeError as error:
        message = f"weights in {source} do not fit the model: {str(error).splitlines()[1].strip()}"
        raise CheckpointError(message) from error
