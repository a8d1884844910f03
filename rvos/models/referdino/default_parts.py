"""The published parts around a grounder."""

from typing import Any

from rvos.models.grounding_dino import Grounder
from rvos.models.referdino.mask_decoder import GroundingGuidedMaskDecoder
from rvos.models.referdino.pixel_decoder import FPNPixelDecoder
from rvos.models.referdino.temporal_decoder import CrossModalTemporalDecoder
from rvos.models.referdino.temporal_enhancer import ObjectConsistentTemporalEnhancer
from rvos.models.referdino.tracker import MemoryAugmentedTracker


def default_parts(grounder: Grounder) -> dict[str, Any]:
    """Make new parts of the published form, as wide as the grounder.

    Args:
        grounder: Gives the numbers of channels.

    Returns:
        Arguments of :class:`ReferDINO`.
    """
    dim = grounder.hidden_dim
    return {
        "temporal_enhancer": ObjectConsistentTemporalEnhancer(
            MemoryAugmentedTracker(), CrossModalTemporalDecoder(dim)
        ),
        "pixel_decoder": FPNPixelDecoder(dim, grounder.image_encoder.stage0_channels),
        "mask_head": GroundingGuidedMaskDecoder(dim),
    }
