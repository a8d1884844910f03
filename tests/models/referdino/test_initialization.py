"""Starting values that train without pre-trained weights."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from rvos.models.mask_heads import StaticMaskHead
from rvos.models.referdino import ReferDINO
from rvos.structures import TextTokens

Build = Callable[..., ReferDINO]


@torch.no_grad()
def test_scores_start_low_and_moderate(
    make_untouched_model: Build, clips: Tensor, tokens: TextTokens
) -> None:
    published = make_untouched_model().eval()(clips.float(), tokens).pred_logits
    ready = make_untouched_model(from_scratch=True).eval()
    logits = ready.forward_with_auxiliary(clips.float(), tokens)
    for part in (logits, *logits.aux_outputs, logits.proposal_output):
        assert -8 < float(part.pred_logits.mean()) < 0
        assert float(part.pred_logits.std()) < 3
    # As published, the best of many dot products of normalised vectors is far above zero.
    assert float(published.mean()) > 0


@torch.no_grad()
def test_mask_logits_start_at_unit_scale(
    make_untouched_model: Build, clips: Tensor, tokens: TextTokens
) -> None:
    masks = [
        make_untouched_model(from_scratch=wanted).eval()(clips.float(), tokens).pred_masks.std()
        for wanted in (False, True)
    ]
    torch.testing.assert_close(masks[1], masks[0] / 8, rtol=0.3, atol=0)


def test_shapes_and_names_stay(make_untouched_model: Build) -> None:
    def shapes(model: Any) -> dict[str, torch.Size]:
        return {name: value.shape for name, value in model.state_dict().items()}

    for options in ({}, {"enhancer": False}, {"mask_head": StaticMaskHead(64)}):
        ready = make_untouched_model(from_scratch=True, **options)
        assert shapes(ready) == shapes(make_untouched_model(**options))
        layers: Any = ready.grounder.fusion_encoder.layers
        assert torch.equal(layers[0].fusion_layer.vision_param, torch.ones(64))
