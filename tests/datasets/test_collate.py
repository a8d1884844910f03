import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.collate import collate_clips
from rvos.structures.video import ClipTargets, VideoSample


def _sample(name: str, height: int, width: int, num_tracks: int, length: int = 2) -> VideoSample:
    targets = ClipTargets(
        boxes_cxcywh=torch.rand(num_tracks, length, 4),
        masks=torch.rand(num_tracks, length, height, width) < 0.5,
        present=torch.ones(num_tracks, length, dtype=torch.bool),
        referred=torch.ones(num_tracks, dtype=torch.bool),
    )
    return VideoSample(
        sample_id=f"{name}/0",
        video_id=name,
        expression=f"expression of {name}",
        expression_kind="appearance",
        frame_ids=[str(i) for i in range(length)],
        frames=torch.rand(length, 3, height, width) + 0.1,
        targets=targets,
        original_size=(2 * height, 2 * width),
    )


samples = st.lists(
    st.builds(_sample, st.just("v"), st.integers(1, 40), st.integers(1, 40), st.integers(0, 3)),
    min_size=1,
    max_size=4,
)


@given(samples, st.sampled_from([1, 4, 32]))
def test_padding_is_at_the_bottom_and_right_and_marked(
    clips: list[VideoSample], divisor: int
) -> None:
    batch = collate_clips(clips, divisor)
    height, width = batch.frames.shape[-2:]
    assert height % divisor == 0
    assert width % divisor == 0
    assert height - max(clip.frames.shape[-2] for clip in clips) < divisor
    assert width - max(clip.frames.shape[-1] for clip in clips) < divisor
    for position, clip in enumerate(clips):
        h, w = batch.clip_sizes[position]
        assert (h, w) == tuple(clip.frames.shape[-2:])
        assert torch.equal(batch.frames[position, :, :, :h, :w], clip.frames)
        assert batch.frames[position].count_nonzero() == clip.frames.count_nonzero()
        assert batch.valid_pixels[position, :, :h, :w].all()
        assert batch.valid_pixels[position].sum() == 2 * h * w
        target = batch.targets[position]
        assert target.masks.shape[-2:] == (height, width)
        assert torch.equal(target.masks[..., :h, :w], clip.targets.masks)
        assert target.masks.sum() == clip.targets.masks.sum()
        assert torch.equal(target.boxes_cxcywh, clip.targets.boxes_cxcywh)


def test_names_keep_their_order() -> None:
    batch = collate_clips([_sample("b", 4, 4, 1), _sample("a", 8, 4, 0)])
    assert batch.sample_ids == ["b/0", "a/0"]
    assert batch.video_ids == ["b", "a"]
    assert batch.expressions == ["expression of b", "expression of a"]
    assert batch.frame_ids == [["0", "1"], ["0", "1"]]
    assert batch.original_sizes == [(8, 8), (16, 8)]


def test_clips_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        collate_clips([_sample("a", 4, 4, 1), _sample("b", 4, 4, 1, length=3)])
    with pytest.raises(ValueError, match="one length"):
        collate_clips([])


def test_annotated_frames_are_kept() -> None:
    samples = [_sample("a", 8, 8, 1), _sample("b", 8, 8, 1)]
    num_frames = len(samples[0].frames)
    annotated = torch.arange(num_frames) == 1
    samples[1].targets.annotated = annotated
    batch = collate_clips(samples)
    assert batch.targets[0].annotated is None
    assert batch.targets[1].annotated is annotated
