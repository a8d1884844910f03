"""Groups that pass the mask decoder together get the masks that they would get alone."""

import pytest
import torch

from rvos.models.mask_heads import MaskFeatures, MaskQueries
from rvos.models.referdino import GroundingGuidedMaskDecoder
from rvos.models.referdino.deferred_masks import LastLayerMasks
from rvos.models.referdino.mask_decoder_layer import MaskScene
from rvos.structures import ReferenceText

DIM = 16


@pytest.fixture
def head() -> GroundingGuidedMaskDecoder:
    head = GroundingGuidedMaskDecoder(DIM, 3, 2, 4, 32, mask_position="sine").double().eval()
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return head


@pytest.fixture
def scene() -> tuple[MaskFeatures, ReferenceText]:
    valid = torch.ones(2, 6, 8, dtype=torch.bool)
    valid[1, :, 5:] = False
    ratios = torch.tensor([[1.0, 1.0], [0.625, 1.0]], dtype=torch.float64)
    features = torch.randn(2, DIM, 6, 8, dtype=torch.float64, requires_grad=True)
    words = torch.randn(2, 3, DIM, dtype=torch.float64)
    text = ReferenceText(words, torch.tensor([[True, True, True], [True, True, False]]))
    return MaskFeatures(features, valid, ratios), text


def group(num_queries: int) -> MaskQueries:
    features, positions = torch.randn(2, 2, num_queries, DIM, dtype=torch.float64)
    boxes = torch.rand(2, num_queries, 4, dtype=torch.float64) * 0.5 + 0.2
    return MaskQueries(features.requires_grad_(), boxes, positions)


def test_groups_know_nothing_of_each_other(
    head: GroundingGuidedMaskDecoder, scene: tuple[MaskFeatures, ReferenceText]
) -> None:
    groups = [group(5), group(1), group(3)]
    masks = head.defer(groups, *scene)
    assert isinstance(masks, LastLayerMasks)
    every = [torch.arange(each.features.shape[1]).expand(2, -1) for each in groups]
    for index, (found, each) in enumerate(zip(masks.of_queries(every), groups, strict=True)):
        expected = head(each, *scene)
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
        part = masks.part(index, slice(0, 2), slice(0, 9))
        torch.testing.assert_close(part, expected, rtol=1e-10, atol=1e-10)
        assert not part.requires_grad


def test_the_chosen_get_the_gradient_that_they_get_among_all(
    head: GroundingGuidedMaskDecoder, scene: tuple[MaskFeatures, ReferenceText]
) -> None:
    queries, chosen = group(5), torch.tensor([[3, 0], [2, 2]])
    features = [queries.features, scene[0].features]
    (found,) = head.defer([queries], *scene).of_queries([chosen])
    mine = torch.autograd.grad(found.square().sum(), features)
    alone = head(queries, *scene)[torch.arange(2)[:, None], chosen]
    expected = torch.autograd.grad(alone.square().sum(), features)
    torch.testing.assert_close(mine, expected, rtol=1e-9, atol=1e-9)


def test_recomputed_activations_give_the_same_gradient(
    head: GroundingGuidedMaskDecoder, scene: tuple[MaskFeatures, ReferenceText]
) -> None:
    queries, chosen = [group(4), group(2)], [torch.tensor([[1], [3]]), torch.tensor([[0], [1]])]
    found = []
    for wanted in (False, True):
        masks = LastLayerMasks(head.layers, head.position, queries, MaskScene.of(*scene), wanted)
        total = torch.stack([each.square().sum() for each in masks.of_queries(chosen)]).sum()
        found.append(torch.autograd.grad(total, [queries[0].features, scene[0].features]))
    torch.testing.assert_close(found[0], found[1], rtol=1e-10, atol=1e-10)
