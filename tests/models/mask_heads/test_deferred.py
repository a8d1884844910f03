"""Dot products on demand are the dot products."""

import torch

from rvos.models.mask_heads.deferred import DotProductMasks, mask_logits
from rvos.structures import MaskSource


def test_parts_and_choices_are_cut_out_of_all() -> None:
    embeddings = [torch.randn(2, 5, 8, requires_grad=True), torch.randn(2, 3, 8)]
    features = torch.randn(2, 8, 4, 6, requires_grad=True)
    masks = DotProductMasks(embeddings, features)
    assert isinstance(masks, MaskSource)
    whole = [mask_logits(embedding, features) for embedding in embeddings]
    part = masks.part(0, slice(1, 2), slice(1, 4))
    torch.testing.assert_close(part, whole[0][1:2, 1:4])
    assert not part.requires_grad
    chosen = [torch.tensor([[4], [0]]), torch.tensor([[1, 2], [0, 0]])]
    for found, every, queries in zip(masks.of_queries(chosen), whole, chosen, strict=True):
        torch.testing.assert_close(found, every[torch.arange(2)[:, None], queries])
        assert found.requires_grad


def test_product_is_over_the_channels() -> None:
    embedding, features = torch.randn(2, 3, 8), torch.randn(2, 8, 4, 6)
    expected = torch.einsum("nqc,nchw->nqhw", embedding, features)
    torch.testing.assert_close(mask_logits(embedding, features), expected)
