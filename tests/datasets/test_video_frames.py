from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rvos.datasets import video_frames
from rvos.datasets.errors import FrameNotFoundError, UnreadableVideoError
from rvos.datasets.video_frames import read_video_frames

NUM_FRAMES = 30


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Thirty frames with a key frame every eight, without and with frames out of order."""
    folder = tmp_path_factory.mktemp("videos")
    kinds = {"mpeg4": ("mpeg4", {}), "h264": ("libx264", {"bf": "3", "x264-params": "scenecut=0"})}
    for name, (codec, options) in kinds.items():
        with av.open(str(folder / f"{name}.mp4"), "w") as container:
            stream = container.add_stream(codec, rate=10, options={"g": "8", **options})
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for index in range(NUM_FRAMES):
                image = np.full((48, 64, 3), 8 * index, dtype=np.uint8)
                image[:, 2 * index :] = 255 - 8 * index
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return {name: folder / f"{name}.mp4" for name in kinds}


def _everything(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["mpeg4", "h264"]),
    indices=st.lists(st.integers(0, NUM_FRAMES - 1), min_size=1, max_size=6),
)
def test_frames_are_those_of_decoding_everything(
    videos: dict[str, Path], name: str, indices: list[int]
) -> None:
    expected = _everything(videos[name])
    decoded = read_video_frames(videos[name], indices)
    assert decoded.num_video_frames == len(expected) == NUM_FRAMES
    assert set(decoded.frames) == set(indices)
    for index in indices:
        np.testing.assert_array_equal(decoded.frames[index], expected[index])


def test_only_frames_from_the_last_key_frame_on_are_decoded(
    videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    real = video_frames._decode_from

    def spy(*arguments: Any) -> Iterator[tuple[int, av.VideoFrame]]:
        for index, frame in real(*arguments):
            seen.append(index)
            yield index, frame

    monkeypatch.setattr(video_frames, "_decode_from", spy)
    read_video_frames(videos["mpeg4"], [19])
    assert seen == [16, 17, 18, 19]


def test_an_index_past_the_end_is_the_last_frame(videos: dict[str, Path]) -> None:
    decoded = read_video_frames(videos["h264"], [NUM_FRAMES + 5])
    np.testing.assert_array_equal(
        decoded.frames[NUM_FRAMES + 5], _everything(videos["h264"])[NUM_FRAMES - 1]
    )


def test_a_file_that_cannot_be_entered_in_the_middle_is_decoded_from_the_start(
    videos: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, starts = video_frames._decode_from, []

    def nothing_unless_from_the_start(
        container: Any, times: Any, first: int
    ) -> Iterator[tuple[int, av.VideoFrame]]:
        starts.append(first)
        return real(container, times, first) if first == 0 else iter(())

    monkeypatch.setattr(video_frames, "_decode_from", nothing_unless_from_the_start)
    frame = read_video_frames(videos["mpeg4"], [11]).frames[11]
    np.testing.assert_array_equal(frame, _everything(videos["mpeg4"])[11])
    assert starts == [11, 0]


def test_missing_and_damaged_files_are_named(videos: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(FrameNotFoundError, match=r"gone\.mp4 is missing"):
        read_video_frames(tmp_path / "gone.mp4", [0])
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(videos["mpeg4"].read_bytes()[:300])
    with pytest.raises(UnreadableVideoError, match=r"cut\.mp4 cannot be decoded .*damaged"):
        read_video_frames(cut, [0])
    cut.write_text("no video")
    with pytest.raises(UnreadableVideoError, match=r"cut\.mp4 cannot be decoded"):
        read_video_frames(cut, [0])


def test_sound_without_pictures_is_named(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(UnreadableVideoError, match="no pictures in it"):
        read_video_frames(path, [0])
