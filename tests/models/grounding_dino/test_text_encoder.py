"""The text part before fusion."""

from collections.abc import Callable

import torch

from rvos.models.referdino import ReferDINO
from rvos.structures import TextTokens


@torch.no_grad()
def test_phrases_do_not_see_each_other(
    model: ReferDINO, make_tokens: Callable[..., TextTokens]
) -> None:
    encode = model.grounder.text_encoder
    together = encode(make_tokens([5, 6, 1012, 7]))
    first, second = encode(make_tokens([5, 6])), encode(make_tokens([7]))
    torch.testing.assert_close(together.features[:, 1:4], first.features[:, 1:4])
    torch.testing.assert_close(together.features[:, 4:6], second.features[:, 1:3])
    torch.testing.assert_close(together.positions[:, 4:6], first.positions[:, 1:3])


@torch.no_grad()
def test_shapes_and_masks(model: ReferDINO, tokens: TextTokens) -> None:
    encoded = model.grounder.text_encoder(tokens)
    assert encoded.features.shape == encoded.positions.shape == (2, 7, 64)
    assert torch.equal(encoded.valid, tokens.attention_mask.bool())
    assert encoded.may_attend.shape == (2, 7, 7)


@torch.no_grad()
def test_rows_repeat_for_frames_and_can_be_cut(model: ReferDINO, tokens: TextTokens) -> None:
    encoded = model.grounder.text_encoder(tokens)
    repeated = encoded.repeat_frames(3)
    assert torch.equal(repeated.features, encoded.features[[0, 0, 0, 1, 1, 1]])
    part = repeated.select(2, 4)
    assert torch.equal(part.features, encoded.features)
    assert torch.equal(part.valid, encoded.valid)
    assert torch.equal(part.positions, encoded.positions)
    assert torch.equal(part.may_attend, encoded.may_attend)
