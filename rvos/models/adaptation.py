"""What trains and what is frozen, and low-rank adapters on the grounder (paper, section 4.1)."""

import re
import warnings
from collections.abc import Mapping
from typing import Literal

from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import Linear as LoraLinear
from peft.tuners.lora import LoraLayer
from torch import nn

from rvos.checkpoints.files import CheckpointError
from rvos.models.adapter_linear import FusedAdapter
from rvos.models.referdino import ReferDINO

Trainable = Literal[
    "published", "all", "all_but_backbone", "fusion_and_decoders", "decoders", "temporal"
]

_IMAGE_ENCODER = "grounder.image_encoder."
_TEXT_ENCODER = "grounder.text_encoder."
_ENCODER = "grounder.fusion_encoder."
_DECODER = "grounder.query_decoder."
_DECODING = (_DECODER, "grounder.proposal_selector.box_head.", "pixel_decoder.", "mask_head.")
# torch's attention projects queries, keys and values with one bare parameter and its output inside
# one call, so the released adapters reach neither; transformers has them as linear layers.
_ATTENTION = re.compile(
    r"(text_enhancer_layer\.self_attn|layers\.\d+\.self_attn|encoder_attn_text)"
    r"\.(query|key|value|out_proj)$"
)
_PUBLISHED_TRAINABLE = (
    re.compile(r"^grounder\.text_encoder\.projection\."),
    re.compile(r"^grounder\.text_encoder\.bert\..*LayerNorm\."),
    re.compile(r"^grounder\.image_encoder\.backbone\.hidden_states_norms\.stage1\."),
    re.compile(r"^grounder\.query_decoder\.box_head\."),
    re.compile(r"\.lora_[AB]\."),
    re.compile(r"^pixel_decoder\."),
    re.compile(r"^mask_head\."),
)
_TEMPORAL = re.compile(r"^temporal_enhancer\.")


class AdaptationPolicy:
    """Chooses the trainable parameters and adds adapters.

    Args:
        trainable: ``published`` trains adapters, box head, text projection, BERT's norms, the norm
            of the stride-4 feature, pixel decoder, mask head and the temporal part; ``all`` trains
            everything; ``all_but_backbone`` all but the image encoder; ``fusion_and_decoders`` all
            but image and text encoder, so that the language is kept; ``decoders`` box heads, query
            decoder, pixel decoder, mask head and temporal enhancer, so that what words mean is
            kept; ``temporal`` the temporal enhancer only.
        encoder_lora: Adapters on the fusion encoder's linear layers.
        decoder_lora: Adapters on the query decoder's linear layers.
        rank: Of the adapters; their scaling is 1 / rank.
        train_temporal: False leaves the temporal enhancer frozen, as in image pre-training.
    """

    def __init__(
        self,
        trainable: Trainable = "published",
        encoder_lora: bool = True,
        decoder_lora: bool = True,
        rank: int = 32,
        train_temporal: bool = True,
    ) -> None:
        self.trainable = trainable
        self.encoder_lora = encoder_lora
        self.decoder_lora = decoder_lora
        self.rank = rank
        self.train_temporal = train_temporal

    def apply(self, model: ReferDINO) -> list[str]:
        """Add adapters and set ``requires_grad``.

        Args:
            model: Changed in place.

        Returns:
            Names of the trainable parameters.
        """
        if self.trainable == "published":
            add_adapters(
                model, encoder=self.encoder_lora, decoder=self.decoder_lora, rank=self.rank
            )
        names = []
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(self._trains(name))
            if parameter.requires_grad:
                names.append(name)
        return names

    def set_frozen_parts_to_eval(self, model: ReferDINO) -> None:
        """Switch dropout and stochastic depth off in backbone, BERT and all that does not train.

        The released implementation leaves both on in its frozen parts.

        Args:
            model: In training mode.
        """
        if self.trainable == "all":
            return
        # Single norms and a projection train in these two; what is random in them is frozen.
        model.grounder.image_encoder.eval()
        if self.trainable != "all_but_backbone":
            model.grounder.text_encoder.eval()
        for module in model.modules():
            parameters = list(module.parameters())
            if parameters and not any(parameter.requires_grad for parameter in parameters):
                module.eval()

    def _trains(self, name: str) -> bool:
        if _TEMPORAL.match(name):
            return self.train_temporal
        if self.trainable == "published":
            return any(pattern.search(name) for pattern in _PUBLISHED_TRAINABLE)
        if self.trainable == "all_but_backbone":
            return not name.startswith(_IMAGE_ENCODER)
        if self.trainable == "fusion_and_decoders":
            return not name.startswith((_IMAGE_ENCODER, _TEXT_ENCODER))
        if self.trainable == "decoders":
            return name.startswith(_DECODING)
        return self.trainable == "all"


def adapted_layers(model: ReferDINO, *, encoder: bool, decoder: bool) -> list[str]:
    """List the linear layers that the released implementation adapts.

    Args:
        model: With or without adapters.
        encoder: Include the fusion encoder.
        decoder: Include the query decoder.

    Returns:
        Module names: 122 of Swin-T or Swin-B with both parts, 38 with the decoder only.
    """
    prefixes = [_ENCODER] * encoder + [_DECODER] * decoder
    return [
        name
        for name, module in model.named_modules()
        if name.startswith(tuple(prefixes))
        and isinstance(module, (nn.Linear, LoraLayer))
        and ".lora_" not in name
        and not name.endswith(".base_layer")
        and "box_head" not in name
        and not _ATTENTION.search(name)
    ]


def add_adapters(
    model: ReferDINO, *, encoder: bool = True, decoder: bool = True, rank: int = 32
) -> None:
    """Inject peft LoRA layers with scaling 1 / rank, as the released files have them.

    Args:
        model: Changed in place; layers that have adapters keep them.
        encoder: Adapt the fusion encoder.
        decoder: Adapt the query decoder.
        rank: Of the adapters.
    """
    targets = adapted_layers(model, encoder=encoder, decoder=decoder)
    # Layers that were loaded with adapters go on training them.
    plain = [name for name in targets if not isinstance(model.get_submodule(name), LoraLayer)]
    adapt_layers(model, dict.fromkeys(plain, rank))


def adapt_layers(model: ReferDINO, ranks: Mapping[str, int]) -> None:
    """Inject peft LoRA layers with scaling 1 / rank at the named places.

    Args:
        model: Changed in place.
        ranks: Rank by module name.

    Raises:
        CheckpointError: A named module is not a linear layer of the model.
    """
    modules = dict(model.named_modules())
    foreign = [name for name in ranks if not isinstance(modules.get(name), nn.Linear)]
    if foreign:
        message = f"there are adapters of {', '.join(foreign[:3])}, which is no linear layer here"
        raise CheckpointError(message)
    if ranks:
        config = LoraConfig(
            lora_alpha=1,
            lora_dropout=0.0,
            target_modules=list(ranks),
            rank_pattern={f"^{re.escape(name)}$": rank for name, rank in ranks.items()},
        )
        with warnings.catch_warnings():
            # Of the adapters that are there already; they are not touched.
            warnings.filterwarnings("ignore", "Already found a `peft_config`")
            inject_adapter_in_model(config, model)
        for module in model.modules():
            if type(module) is LoraLinear:
                # It only overrides methods, so it can take the instance over.
                module.__class__ = FusedAdapter


def merge_adapters(model: ReferDINO) -> ReferDINO:
    """Fold adapters into their layers and remove them, for inference.

    Args:
        model: Changed in place.

    Returns:
        The same model, with plain linear layers.
    """
    for name, module in list(model.named_modules()):
        if isinstance(module, LoraLayer):
            module.merge(safe_merge=False)
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, module.get_base_layer())
    return model
