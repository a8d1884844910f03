"""Pruning inside the decoder."""

from collections.abc import Callable

import torch
from torch import Tensor

from rvos.models.grounding_dino import ConfidenceQueryPruner, Grounding, KeepAllQueries
from rvos.models.referdino import ReferDINO
from rvos.structures import TextTokens


def ground(model: ReferDINO, clips: Tensor, tokens: TextTokens) -> Grounding:
    image = model.encode_frames(clips)[0]
    expressions = model.grounder.text_encoder(tokens).repeat_frames(clips.shape[1])
    result: Grounding = model.grounder(image, expressions)
    return result


@torch.no_grad()
def test_counts_and_positions(model: ReferDINO, clips: Tensor, tokens: TextTokens) -> None:
    layers = ground(model, clips, tokens).layers
    assert [layer.features.shape for layer in layers] == [(6, 12, 64), (6, 6, 64), (6, 6, 64)]
    previous = 24
    for layer in layers:
        assert 0 <= int(layer.kept.min()) <= int(layer.kept.max()) < previous
        assert all(len(set(row.tolist())) == len(row) for row in layer.kept)
        previous = layer.kept.shape[1]


@torch.no_grad()
def test_reference_is_the_one_the_layer_used(
    model: ReferDINO, clips: Tensor, tokens: TextTokens
) -> None:
    grounding = ground(model, clips, tokens)
    first = grounding.layers[0]
    initial = grounding.proposals.boxes_cxcywh
    expected = initial.gather(1, first.kept.unsqueeze(-1).expand(-1, -1, 4))
    assert torch.equal(first.reference_boxes_cxcywh, expected)


@torch.no_grad()
def test_first_layer_of_the_pruned_decoder_is_a_selection_of_the_whole(
    make_model: Callable[..., ReferDINO], clips: Tensor, tokens: TextTokens
) -> None:
    pruned = ground(make_model(pruner=ConfidenceQueryPruner(0.5)), clips, tokens).layers[0]
    whole = ground(make_model(pruner=KeepAllQueries()), clips, tokens).layers[0]
    index = pruned.kept.unsqueeze(-1).expand(-1, -1, 64)
    torch.testing.assert_close(pruned.features, whole.features.gather(1, index))


def test_references_teach_the_box_head_but_are_constants_to_the_layers(
    make_model: Callable[..., ReferDINO], clips: Tensor, tokens: TextTokens
) -> None:
    model = make_model()
    head = list(model.grounder.query_decoder.box_head.parameters())
    first, *later = ground(model, clips, tokens).layers
    assert not first.reference_boxes_cxcywh.requires_grad
    for layer in later:
        reference = layer.reference_boxes_cxcywh.sum()
        gradients = torch.autograd.grad(reference, head, retain_graph=True)
        assert all(float(gradient.abs().max()) > 0 for gradient in gradients)
        total = layer.features.square().sum()
        through_layers = torch.autograd.grad(total, head, retain_graph=True, allow_unused=True)
        assert through_layers == (None,) * len(head)


@torch.no_grad()
def test_query_positions_follow_the_valid_share(model: ReferDINO) -> None:
    decoder = model.grounder.query_decoder
    boxes = torch.rand(2, 3, 4, dtype=torch.float64)
    half = torch.full((2, 4), 0.5, dtype=torch.float64)
    torch.testing.assert_close(
        decoder.query_positions(boxes, half), decoder.query_positions(boxes / 2, half * 2)
    )
