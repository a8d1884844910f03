"""The published decoder is blind to time; the added positions see it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rvos.models.referdino import CrossModalTemporalDecoder, temporal_decoder
from rvos.models.referdino.temporal_decoder import TemporalPosition


def decoder(position: TemporalPosition = "none") -> CrossModalTemporalDecoder:
    torch.manual_seed(1)
    module = CrossModalTemporalDecoder(16, 2, 4, 32, position).double().eval()
    with torch.no_grad():
        added = (module.time_projection, module.box_projection, module.motion_projection)
        for projection in added:
            if projection is not None:
                projection.weight.normal_(std=0.3)
    return module


def inputs(num_frames: int, num_queries: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(num_frames)
    shapes = (
        (2, num_frames, num_queries, 16),
        (2, num_frames, 16),
        (2, num_frames, num_queries, 4),
    )
    first, second, boxes = (
        torch.rand(shape, generator=generator, dtype=torch.float64) for shape in shapes
    )
    return first, second, boxes


@given(order=st.permutations(range(5)))
@torch.no_grad()
def test_published_decoder_is_equivariant_to_the_order_of_frames(order: list[int]) -> None:
    """So it cannot tell which way an object moves: the reversed clip gives the reversed output."""
    tracks, sentences, boxes = inputs(5)
    module = decoder("none")
    reordered = module(tracks[:, order], sentences[:, order], boxes[:, order])
    torch.testing.assert_close(reordered, module(tracks, sentences, boxes)[:, order])


@pytest.mark.parametrize("position", ["sine", "sine_and_box", "sine_box_and_motion"])
@torch.no_grad()
def test_time_embedding_sees_the_order_of_frames(position: TemporalPosition) -> None:
    tracks, sentences, boxes = inputs(5)
    module = decoder(position)
    backwards = module(tracks.flip(1), sentences.flip(1), boxes.flip(1)).flip(1)
    assert float((backwards - module(tracks, sentences, boxes)).abs().max()) > 0.01


@torch.no_grad()
def test_only_the_box_embedding_sees_the_boxes() -> None:
    tracks, sentences, boxes = inputs(4)
    elsewhere = boxes.flip(-1)
    for position, sees in (
        ("none", False),
        ("sine", False),
        ("sine_and_box", True),
        ("sine_box_and_motion", True),
    ):
        module = decoder(position)  # type: ignore[arg-type]
        moved = module(tracks, sentences, elsewhere)
        assert torch.equal(moved, module(tracks, sentences, boxes)) is not sees


@torch.no_grad()
def test_new_positions_start_without_effect() -> None:
    tracks, sentences, boxes = inputs(4)
    published = decoder("none")
    expected = published(tracks, sentences, boxes)
    for position in ("sine", "sine_and_box", "sine_box_and_motion"):
        module = CrossModalTemporalDecoder(16, 2, 4, 32, position)  # type: ignore[arg-type]
        missing = (
            module.double()
            .eval()
            .load_state_dict(published.state_dict(), strict=False)
            .missing_keys
        )
        added = {"time_projection", "box_projection", "motion_projection"}
        assert {name.split(".")[0] for name in missing} <= added
        assert torch.equal(module(tracks, sentences, boxes), expected)


@torch.no_grad()
def test_motion_is_known_beside_place() -> None:
    """With the projection of the box switched off, only how the box changes is seen."""
    tracks, sentences, boxes = inputs(4)
    module = decoder("sine_box_and_motion")
    assert module.box_projection is not None
    module.box_projection.weight.zero_()
    expected = module(tracks, sentences, 0.5 * boxes)
    elsewhere = module(tracks, sentences, 0.5 * boxes + 0.25)
    torch.testing.assert_close(elsewhere, expected)
    faster = module(tracks, sentences, boxes)
    assert float((faster - expected).abs().max()) > 0.01


@given(num_frames=st.integers(2, 9), step=st.integers(1, 4))
def test_speed_does_not_depend_on_the_frame_rate(num_frames: int, step: int) -> None:
    path = torch.linspace(0.1, 0.8, (num_frames - 1) * step + 1, dtype=torch.float64)
    boxes = path.view(1, -1, 1, 1).expand(1, -1, 2, 4)
    speed, sparse = (temporal_decoder.speed_cxcywh(each) for each in (boxes, boxes[:, ::step]))
    torch.testing.assert_close(sparse, speed[:, ::step])
    assert (speed[:, 0] == 0).all()


def test_one_frame_has_no_speed() -> None:
    assert torch.equal(
        temporal_decoder.speed_cxcywh(torch.rand(2, 1, 3, 4)), torch.zeros(2, 1, 3, 4)
    )


@given(order=st.permutations(range(3)))
@torch.no_grad()
def test_tracks_do_not_see_each_other(order: list[int]) -> None:
    tracks, sentences, boxes = inputs(4)
    module = decoder("sine_box_and_motion")
    reordered = module(tracks[:, :, order], sentences, boxes[:, :, order])
    torch.testing.assert_close(reordered, module(tracks, sentences, boxes)[:, :, order])


@torch.no_grad()
def test_clips_do_not_see_each_other() -> None:
    tracks, sentences, boxes = inputs(4)
    module = decoder("sine")
    alone = module(tracks[1:], sentences[1:], boxes[1:])
    torch.testing.assert_close(alone, module(tracks, sentences, boxes)[1:])


def test_frames_of_a_track_see_each_other() -> None:
    tracks, sentences, boxes = inputs(4)
    tracks.requires_grad_()
    decoder()(tracks, sentences, boxes)[:, 0].sum().backward()
    assert tracks.grad is not None
    assert bool((tracks.grad.abs().amax((0, 2, 3)) > 0).all())


def test_boxes_get_no_gradient() -> None:
    tracks, sentences, boxes = inputs(3)
    boxes.requires_grad_()
    output = decoder("sine_and_box")(tracks.requires_grad_(), sentences, boxes)
    output.sum().backward()
    assert boxes.grad is None
    assert tracks.grad is not None


@torch.no_grad()
def test_long_clips_are_decoded_track_by_track_in_the_same_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoder = CrossModalTemporalDecoder(16, 2, 2, 32, "sine_and_box").double().eval()
    tracks, sentences = torch.randn(2, 9, 5, 16).double(), torch.randn(2, 9, 16).double()
    boxes = torch.rand(2, 9, 5, 4).double()
    expected = decoder(tracks, sentences, boxes)
    monkeypatch.setattr(temporal_decoder, "_LONG_CLIP", 8)
    monkeypatch.setattr(temporal_decoder, "_ROWS_AT_A_TIME", 28)
    before = torch.backends.mha.get_fastpath_enabled()
    torch.testing.assert_close(decoder(tracks, sentences, boxes), expected, rtol=0, atol=1e-12)
    assert torch.backends.mha.get_fastpath_enabled() == before
