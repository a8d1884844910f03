"""ReferDINO (Liang et al., ICCV 2025, arXiv 2501.14607)."""

from rvos.models.referdino.mask_decoder import GroundingGuidedMaskDecoder
from rvos.models.referdino.model import ReferDINO
from rvos.models.referdino.pixel_decoder import FPNPixelDecoder
from rvos.models.referdino.temporal_decoder import CrossModalTemporalDecoder
from rvos.models.referdino.temporal_enhancer import ObjectConsistentTemporalEnhancer
from rvos.models.referdino.tracker import MemoryAugmentedTracker

__all__ = [
    "CrossModalTemporalDecoder",
    "FPNPixelDecoder",
    "GroundingGuidedMaskDecoder",
    "MemoryAugmentedTracker",
    "ObjectConsistentTemporalEnhancer",
    "ReferDINO",
]
