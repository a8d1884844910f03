"""The static mask head."""

import torch

from rvos.models.mask_heads import MaskFeatures, MaskQueries, StaticMaskHead
from rvos.structures import ReferenceText


@torch.no_grad()
def test_mask_is_the_dot_product_of_embedding_and_features() -> None:
    head = StaticMaskHead(8)
    features = torch.randn(2, 8, 4, 5)
    queries = MaskQueries(torch.randn(2, 3, 8), torch.rand(2, 3, 4), torch.randn(2, 3, 8))
    maps = MaskFeatures(features, torch.ones(2, 4, 5, dtype=torch.bool), torch.ones(2, 2))
    text = ReferenceText(torch.zeros(2, 1, 8), torch.ones(2, 1, dtype=torch.bool))
    masks = head(queries, maps, text)
    assert masks.shape == (2, 3, 4, 5)
    embedding = head.embedding(queries.features)
    torch.testing.assert_close(masks[1, 2, 3, 4], embedding[1, 2] @ features[1, :, 3, 4])
