"""The published parts fit any grounder."""

import torch

from rvos.models.grounding_dino import Grounder
from rvos.models.referdino import CrossModalTemporalDecoder, GroundingGuidedMaskDecoder
from rvos.models.referdino.default_parts import default_parts


def test_parts_are_published_and_as_wide_as_the_grounder() -> None:
    with torch.device("meta"):
        parts = default_parts(Grounder("swin_base"))
        published = CrossModalTemporalDecoder()
        head = GroundingGuidedMaskDecoder()
    temporal = parts["temporal_enhancer"].temporal_decoder
    assert str(temporal) == str(published)
    assert str(parts["mask_head"]) == str(head)
    assert parts["pixel_decoder"].adapters[2].in_channels == 128
