"""Named GroundingDINO architectures as transformers configurations."""

import copy
from typing import Any, Literal

from transformers import GroundingDinoConfig

from rvos.structures.errors import RvosError

ArchitectureName = Literal["swin_tiny", "swin_base", "tiny", "tiny_convnext", "tiny_resnet"]

# The released models have no dropout in the transformer; transformers defaults to 0.1.
_PUBLISHED: dict[str, Any] = {"dropout": 0.0}

_SWIN_TINY: dict[str, Any] = {"model_type": "swin", "window_size": 7, "image_size": 224}
_SWIN_BASE: dict[str, Any] = {
    "model_type": "swin",
    "window_size": 12,
    "image_size": 384,
    "embed_dim": 128,
    "depths": [2, 2, 18, 2],
    "num_heads": [4, 8, 16, 32],
    "drop_path_rate": 0.3,
}
_TINY_TEXT: dict[str, Any] = {
    "model_type": "bert",
    "vocab_size": 2048,
    "hidden_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 256,
    "max_position_embeddings": 128,
    # At this width the default of 0.02 leaves the layers next to the identity, and from random
    # weights no token learns what its neighbours say.
    "initializer_range": 0.1,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
_TINY: dict[str, Any] = {
    "d_model": 128,
    "num_queries": 36,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 256,
    "decoder_ffn_dim": 256,
    "num_feature_levels": 3,
    "encoder_n_points": 2,
    "decoder_n_points": 4,
    "max_text_len": 64,
    "dropout": 0.0,
    "fusion_droppath": 0.0,
    "initializer_range": 0.09,
    "text_config": _TINY_TEXT,
}

# Entries of a transformers configuration that name code or weights elsewhere: classes in the
# repository, attention kernels and quantisers from the hub, backbones with weights of their own.
_FETCHING = frozenset(
    {"auto_map", "custom_pipelines", "kernel_config", "quantization_config", "trust_remote_code"}
    | {"use_pretrained_backbone", "use_timm_backbone", "backbone", "use_kernels"}
    | {"attn_implementation", "_attn_implementation", "_attn_implementation_internal"}
    | {"experts_implementation", "_experts_implementation", "_experts_implementation_internal"}
)
# Those of torch and transformers themselves.
_OWN_ATTENTION = ("eager", "sdpa")

_ARCHITECTURES: dict[str, dict[str, Any]] = {
    "swin_tiny": {**_PUBLISHED, "backbone_config": _SWIN_TINY},
    "swin_base": {**_PUBLISHED, "backbone_config": _SWIN_BASE},
    "tiny": {
        **_TINY,
        "backbone_config": {
            "model_type": "swin",
            "embed_dim": 32,
            "depths": [2, 2, 2, 2],
            "num_heads": [2, 4, 4, 8],
            "window_size": 8,
            "image_size": 192,
            "drop_path_rate": 0.0,
        },
    },
    "tiny_convnext": {
        **_TINY,
        "backbone_config": {
            "model_type": "convnext",
            "hidden_sizes": [32, 64, 96, 128],
            "depths": [2, 2, 2, 1],
            "layer_scale_init_value": 1.0,
        },
    },
    "tiny_resnet": {
        **_TINY,
        "backbone_config": {
            "model_type": "resnet",
            "embedding_size": 32,
            "hidden_sizes": [32, 64, 96, 128],
            "depths": [2, 2, 2, 2],
            "layer_type": "basic",
        },
    },
}


def architecture(name: ArchitectureName | dict[str, Any]) -> GroundingDinoConfig:
    """Make the transformers configuration of a named architecture.

    Args:
        name: A name, or the arguments of ``GroundingDinoConfig`` for any other architecture.

    Returns:
        A configuration whose backbone returns strides 4, 8, 16 and 32.

    Raises:
        RvosError: The name is not known, or the arguments would make transformers fetch or run
            something.

    Example:
        >>> architecture("swin_tiny").num_queries, architecture({"num_queries": 7}).num_queries
        (900, 7)
    """
    if isinstance(name, str) and name not in _ARCHITECTURES:
        message = f"no architecture called {name[:80]!r}; known: {', '.join(_ARCHITECTURES)}"
        raise RvosError(message)
    arguments = copy.deepcopy(_ARCHITECTURES[name] if isinstance(name, str) else name)
    refuse_fetching(arguments)
    backbone = dict(arguments.pop("backbone_config", _SWIN_TINY))
    text = dict(arguments.pop("text_config", {"model_type": "bert"}))
    # Stage 1 (stride 4) serves the mask branch only; the grounder's levels start at stage 2.
    backbone["out_indices"] = [1, 2, 3, 4]
    backbone.pop("out_features", None)
    return GroundingDinoConfig(backbone_config=backbone, text_config=text, **arguments)


def refuse_fetching(arguments: dict[str, Any]) -> None:
    """Refuse a configuration that names code or weights which transformers would fetch.

    Args:
        arguments: Of ``GroundingDinoConfig``, from a file of unknown origin.

    Raises:
        RvosError: One of them, at any depth, does.

    Example:
        >>> refuse_fetching({"backbone": None, "text_config": {"model_type": "bert"}})
    """
    for key, value in arguments.items():
        if key in _FETCHING and value and value not in _OWN_ATTENTION:
            message = (
                f"config asks for {key} = {str(value)[:80]!r}, which could fetch and run code; "
                "nothing was run; remove the entry"
            )
            raise RvosError(message)
        if isinstance(value, dict):
            refuse_fetching(value)
