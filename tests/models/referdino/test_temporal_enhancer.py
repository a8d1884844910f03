"""Tracking and temporal decoding together, and each switched off."""

import pytest
import torch
from torch import Tensor

from rvos.models.referdino import (
    CrossModalTemporalDecoder,
    MemoryAugmentedTracker,
    ObjectConsistentTemporalEnhancer,
)
from rvos.models.referdino.temporal_enhancer import as_tracks
from rvos.ops.gather import gather_queries
from rvos.structures import DecodedQueries, ReferenceText


@pytest.fixture
def text() -> ReferenceText:
    return ReferenceText(torch.randn(6, 3, 16), torch.ones(6, 3, dtype=torch.bool))


@pytest.fixture
def queries() -> DecodedQueries:
    """Two clips of three frames, four objects that keep their looks, frames shuffled."""
    objects = torch.randn(2, 1, 4, 16).repeat(1, 3, 1, 1).flatten(0, 1)
    order = torch.stack([torch.randperm(4) for _ in range(6)])
    boxes = torch.rand(6, 4, 4)
    return DecodedQueries(gather_queries(objects, order), boxes, order)


def decoder() -> CrossModalTemporalDecoder:
    return CrossModalTemporalDecoder(16, 1, 2, 16).eval()


def test_without_parts_queries_only_get_their_clip_axis(
    queries: DecodedQueries, text: ReferenceText
) -> None:
    tracks = ObjectConsistentTemporalEnhancer(None, None)(queries, text, 3)
    plain = as_tracks(queries, 3)
    assert tracks.features.shape == (2, 3, 4, 16)
    assert torch.equal(tracks.features, plain.features)
    assert torch.equal(tracks.reference_boxes_cxcywh.flatten(0, 1), queries.reference_boxes_cxcywh)


def test_tracker_moves_features_and_boxes_together(
    queries: DecodedQueries, text: ReferenceText
) -> None:
    tracks = ObjectConsistentTemporalEnhancer(MemoryAugmentedTracker(), None)(queries, text, 3)
    # The objects do not change, so every frame must now list them as frame 0 does.
    assert torch.equal(tracks.features, tracks.features[:, :1].expand(-1, 3, -1, -1))
    listed = queries.kept.unflatten(0, (2, 3))
    position = listed.argsort(-1).gather(-1, listed[:, :1].expand(-1, 3, -1))
    boxes = queries.reference_boxes_cxcywh.unflatten(0, (2, 3))
    assert torch.equal(tracks.reference_boxes_cxcywh, gather_queries(boxes, position))


def test_decoder_reads_token_zero_of_each_frame(
    queries: DecodedQueries, text: ReferenceText
) -> None:
    enhancer = ObjectConsistentTemporalEnhancer(None, decoder())
    result = enhancer(queries, text, 3).features
    others: Tensor = text.features.clone()
    others[:, 1:] = 0
    assert torch.equal(enhancer(queries, ReferenceText(others, text.valid), 3).features, result)
    first = text.features.clone()
    first[0, 0] = 0
    changed = enhancer(queries, ReferenceText(first, text.valid), 3).features
    assert not torch.equal(changed[0], result[0])
    assert torch.equal(changed[1], result[1])


def test_single_frames_pass_the_decoder_but_not_the_tracker(
    queries: DecodedQueries, text: ReferenceText
) -> None:
    temporal = decoder()
    both = ObjectConsistentTemporalEnhancer(MemoryAugmentedTracker(), temporal)
    without = ObjectConsistentTemporalEnhancer(None, temporal)
    assert torch.equal(both(queries, text, 1).features, without(queries, text, 1).features)


def test_the_mean_sentence_reads_every_word_but_no_padding(
    queries: DecodedQueries, text: ReferenceText
) -> None:
    enhancer = ObjectConsistentTemporalEnhancer(None, decoder(), sentence="mean")
    text.valid[:, 2] = False
    result = enhancer(queries, text, 3).features
    padded, changed = text.features.clone(), text.features.clone()
    padded[:, 2] = 7.0
    changed[:, 1] = 7.0
    assert torch.equal(enhancer(queries, ReferenceText(padded, text.valid), 3).features, result)
    other = enhancer(queries, ReferenceText(changed, text.valid), 3).features
    assert not torch.equal(other, result)


def test_the_unfused_sentence_is_the_same_whatever_the_frame_shows(
    queries: DecodedQueries, text: ReferenceText
) -> None:
    enhancer = ObjectConsistentTemporalEnhancer(None, decoder(), sentence="unfused_mean")
    unfused = ReferenceText(torch.randn(6, 3, 16), text.valid)
    result = enhancer(queries, text, 3, unfused).features
    other = ReferenceText(torch.randn(6, 3, 16), text.valid)
    assert torch.equal(enhancer(queries, other, 3, unfused).features, result)
    mean = ObjectConsistentTemporalEnhancer(None, enhancer.temporal_decoder, sentence="mean")
    assert torch.equal(mean(queries, unfused, 3).features, result)
    with pytest.raises(ValueError, match="pass unfused_text"):
        enhancer(queries, text, 3)
