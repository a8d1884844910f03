"""Gives transformers' modules their fast ways, with parameters and names as they are."""

from torch import nn
from transformers.models.grounding_dino.modeling_grounding_dino import (
    GroundingDinoBiMultiHeadAttention,
    GroundingDinoDeformableLayer,
    GroundingDinoMultiscaleDeformableAttention,
    MultiScaleDeformableAttention,
)

from rvos.layers.onednn_linear import OneDNNLinear
from rvos.models.grounding_dino.deformable_attention import BagSampling, DeformableAttention
from rvos.models.grounding_dino.deformable_layer import ChunkedDeformableLayer
from rvos.models.grounding_dino.fusion_attention import FoldedFusionAttention

_FAST_WAYS: dict[type[nn.Module], type[nn.Module]] = {
    nn.Linear: OneDNNLinear,
    GroundingDinoBiMultiHeadAttention: FoldedFusionAttention,
    GroundingDinoDeformableLayer: ChunkedDeformableLayer,
    GroundingDinoMultiscaleDeformableAttention: DeformableAttention,
    MultiScaleDeformableAttention: BagSampling,
}


def use_fast_modules(model: nn.Module) -> None:
    """Replace the ``forward`` of modules that have a faster one; weights, names and results stay.

    Args:
        model: May hold modules of transformers' GroundingDINO; changed in place.

    Example:
        >>> from transformers import GroundingDinoConfig
        >>> layer = GroundingDinoMultiscaleDeformableAttention(GroundingDinoConfig(), 8, 4)
        >>> use_fast_modules(layer)
        >>> type(layer).__name__, type(layer.value_proj).__name__
        ('DeformableAttention', 'OneDNNLinear')
    """
    for module in model.modules():
        # Each only overrides methods, so it can take an instance over, as torch's own
        # parametrizations do; building anew would draw other random weights.
        fast = _FAST_WAYS.get(type(module))
        if fast is not None:
            module.__class__ = fast


def use_fused_kernels(model: nn.Module) -> None:
    """Let deformable attention run in one fused kernel on GPUs that Triton can program.

    Off by default: the kernel has only been run in Triton's interpreter.

    Args:
        model: Holds modules with fast ways; changed in place.

    Example:
        >>> sampling = BagSampling()
        >>> use_fused_kernels(sampling)
        >>> sampling.fused_on_gpu
        True
    """
    for module in model.modules():
        if isinstance(module, BagSampling):
            module.fused_on_gpu = True
