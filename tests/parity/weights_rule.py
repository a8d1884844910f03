# ruff: noqa: ANN001, C901, E501, PLR0911, PLR0912, UP  the rule that the golden data were made with
"""Deterministic pseudo-random weights for ReferDINO / GroundingDINO key names.

    sd = make_state_dict({"key": [shape...], ...}, seed=20)

Stand-alone (needs only torch).  Every tensor depends only on (seed, canonical key, shape):

  canonical key = the key after 1) dropping a leading "module.", 2) rewriting aliases of one shared
  parameter to one name (see ALIASES), so that a state dict that lists a shared tensor under several
  names gets the same numbers under each of them.
  generator     = torch.Generator("cpu").manual_seed(int(sha256(f"{seed}:{canonical}").hexdigest()[:8], 16))
  value         = base + scale * torch.randn(shape, generator=g, dtype=float32)

(base, scale) is the first matching row of the table in `scale_rule`.
Shapes are part of the contract only through randn (the same numbers are reshaped), so a tensor that is
stored transposed elsewhere must be generated with the official shape and transposed afterwards.

Integer buffers (EXCLUDED_SUFFIXES) are never generated: they are derived from the architecture.
"""

import hashlib
import math
import re

import torch

BRANCH, INPROJ = 0.3, 1.2

EXCLUDED_SUFFIXES = ("relative_position_index", "position_ids", "num_batches_tracked")

# shared modules of the official code -> one canonical name
ALIASES = (
    # dec_pred_bbox_embed_share: one MLP, listed 6x under bbox_embed and 6x under transformer.decoder
    (re.compile(r"^(?:transformer\.decoder\.)?bbox_embed\.\d+\."), "bbox_embed.0."),
    # one TemporalDecoder listed 6x
    (re.compile(r"^temporal_decoder\.\d+\."), "temporal_decoder.0."),
    # ReferDINO additionally exposes the decoder's ref_point_head at the top level
    (re.compile(r"^ref_point_head\."), "transformer.decoder.ref_point_head."),
)


def canonical_key(key: str) -> str:
    if key.startswith("module."):
        key = key[len("module.") :]
    for pattern, repl in ALIASES:
        key = pattern.sub(repl, key)
    return key


def is_excluded(key: str) -> bool:
    return key.endswith(EXCLUDED_SUFFIXES)


def scale_rule(key: str, shape) -> tuple:
    """(base, scale) for a canonical key; first match wins."""
    nd = len(shape)
    # the contrastive head is a bare dot product of two LayerNormed 256-vectors; shrink the text side so the
    # class logits are O(1) instead of O(16)
    if key == "transformer.encoder.text_layers.5.norm2.weight":
        return 0.12, 0.03
    if key == "transformer.encoder.text_layers.5.norm2.bias":
        return 0.0, 0.02
    # the temporal decoder adds a sentence-derived vector to every query; keep it small and unaligned with the text
    if key.startswith("temporal_decoder.") and key.endswith(".decoder.norm3.weight"):
        return 0.0, 0.25
    if key.endswith((".gamma_v", ".gamma_l")):  # layer scale of the fusion blocks (1e-4 at init)
        return 0.0, 0.3
    if key.endswith("lora_A"):  # [r, in]
        return 0.0, 1.0 / math.sqrt(shape[1])
    if key.endswith("lora_B"):  # [out, r]; with r=32 and scaling 1/r the LoRA delta has
        return 0.0, 2.0  # ~0.35x the std of the frozen weight
    if key.endswith("sampling_offsets.bias"):  # offsets are in pixels/points, keep them O(1)
        return 0.0, 1.5
    if key.endswith("relative_position_bias_table"):
        return 0.0, 0.5
    if key.endswith(("tgt_embed.weight", "label_enc.weight")):
        return 0.0, 1.0
    if key.endswith("level_embed"):
        return 0.0, 0.5
    if nd == 1:
        return (1.0, 0.1) if key.endswith(".weight") else (0.0, 0.05)  # norms / biases
    # residual-branch output projections of the DETR-style layers: weak branches keep 900 random queries from
    # collapsing to one point (and keep fp32 noise from being amplified layer after layer)
    if key.endswith((".out_proj.weight", ".linear2.weight", ".output_proj.weight")):
        return 0.0, BRANCH / math.sqrt(shape[1])
    if key.endswith("in_proj_weight"):
        return 0.0, INPROJ / math.sqrt(shape[1])
    # every other >=2-D weight (Linear, in_proj_weight, Conv2d, BERT embedding tables): 1/sqrt(fan_in)
    return 0.0, 1.0 / math.sqrt(math.prod(shape[1:]))


def make_tensor(key: str, shape, seed: int) -> torch.Tensor:
    ck = canonical_key(key)
    base, scale = scale_rule(ck, list(shape))
    g = torch.Generator(device="cpu")
    g.manual_seed(int(hashlib.sha256(f"{seed}:{ck}".encode()).hexdigest()[:8], 16))
    return base + scale * torch.randn(list(shape), generator=g, dtype=torch.float32)


def make_state_dict(keys_and_shapes: dict, seed: int) -> dict:
    """{key: shape} -> {key: float32 tensor}; excluded integer buffers are skipped."""
    cache, out = {}, {}
    for key, shape in keys_and_shapes.items():
        if is_excluded(key):
            continue
        ident = (canonical_key(key), tuple(shape))
        if ident not in cache:
            cache[ident] = make_tensor(key, shape, seed)
        out[key] = cache[ident]
    return out
