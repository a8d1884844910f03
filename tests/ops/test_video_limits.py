from pathlib import Path

import av
import numpy as np
import pytest

from rvos.ops.video_limits import VIDEO_ERRORS, limit_frame_size, open_container, video_reason


def write(path: Path, title: str = "a title") -> None:
    with av.open(str(path), "w") as container:
        container.metadata["title"] = title
        stream = container.add_stream("mjpeg", rate=10)
        stream.height, stream.width, stream.pix_fmt = 32, 48, "yuvj420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 48, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_titles_in_another_encoding_are_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    write(path)
    path.write_bytes(path.read_bytes().replace(b"a title", b"\xff title"))
    with open_container(path) as container:
        assert len(list(container.decode(video=0))) == 1


def test_the_decoder_knows_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size in the frames counts, whatever the header says."""
    path = tmp_path / "clip.mkv"
    write(path)
    with open_container(path) as container:
        limit_frame_size(container.streams.video[0])
        assert len(list(container.decode(video=0))) == 1
    monkeypatch.setattr("rvos.ops.video_limits.check_picture_size", lambda *_: None)
    monkeypatch.setenv("RVOS_MAX_PIXELS", "100")
    with open_container(path) as container:
        limit_frame_size(container.streams.video[0])
        with pytest.raises(VIDEO_ERRORS):
            list(container.decode(video=0))


def test_reasons_are_one_line() -> None:
    assert video_reason(ValueError("a\nb")) == "a b"
    assert video_reason(OverflowError()) == "overflowerror"
