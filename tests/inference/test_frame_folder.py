from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from rvos.inference.frame_folder import FrameFolder, image_to_rgb, natural_key, read_image
from rvos.inference.video_frame import VideoReadError

RATE = Fraction(24)


def save(
    path: Path, colour: object = (10, 20, 30), mode: str = "RGB", size: object = (6, 4)
) -> Path:
    Image.new(mode, size, colour).save(path)
    return path


@given(st.lists(st.integers(0, 10**6), unique=True, min_size=1))
def test_numbers_sort_as_numbers(numbers: list[int]) -> None:
    names = sorted((f"frame{number}.png" for number in numbers), key=natural_key)
    assert names == [f"frame{number}.png" for number in sorted(numbers)]


@given(st.lists(st.text(max_size=4), unique=True))
@example(["a", "1", "1a", "a1", "", "01", "\u0663.png", "\u00b2"])
def test_any_names_have_one_order(names: list[str]) -> None:
    backwards = list(reversed(names))
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)


def test_natural_order_names_and_timestamps(tmp_path: Path) -> None:
    for name in ("10.png", "9.jpg", "1.PNG", "notes.txt", ".hidden.png", "._1.jpg"):
        if name.endswith("txt"):
            (tmp_path / name).write_text("passed over")
        else:
            save(tmp_path / name) if name != "1.PNG" else Image.new("RGB", (6, 4)).save(
                tmp_path / name, format="PNG"
            )
    folder = FrameFolder(tmp_path, RATE)
    frames = list(folder)
    assert [frame.frame_id for frame in frames] == ["1", "9", "10"]
    assert [frame.pts for frame in frames] == [0, 1, 2]
    assert [frame.timestamp for frame in frames] == pytest.approx([0, 1 / 24, 2 / 24])
    assert (folder.size, folder.num_frames_estimate) == ((4, 6), 3)


def test_single_picture_is_a_video_of_one_frame(tmp_path: Path) -> None:
    (frame,) = FrameFolder(save(tmp_path / "dog.png"), RATE)
    assert (frame.frame_id, frame.image.shape) == ("dog", (4, 6, 3))
    assert (frame.image == (10, 20, 30)).all()


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 77, (77, 77, 77)),
        ("1", 1, (255, 255, 255)),
        ("RGBA", (10, 20, 30, 0), (255, 255, 255)),
        ("RGBA", (10, 20, 30, 255), (10, 20, 30)),
        ("LA", (50, 255), (50, 50, 50)),
        ("I;16", 77 * 257, (77, 77, 77)),
        ("P", 0, (0, 0, 0)),
        ("CMYK", (0, 255, 255, 0), (255, 0, 0)),
    ],
)
def test_modes(mode: str, colour: object, expected: tuple[int, int, int]) -> None:
    image = image_to_rgb(Image.new(mode, (3, 2), colour))
    assert image.shape == (2, 3, 3)
    assert image.dtype == np.uint8
    assert (image == expected).all()


def test_transparent_png_folder(tmp_path: Path) -> None:
    for index in range(2):
        save(tmp_path / f"{index}.png", (200, 0, 0, 128), "RGBA")
    for frame in FrameFolder(tmp_path, RATE):
        assert np.abs(frame.image.astype(int) - (227, 127, 127)).max() <= 1


def test_one_pixel(tmp_path: Path) -> None:
    (frame,) = FrameFolder(save(tmp_path / "dot.png", size=(1, 1)), RATE)
    assert frame.image.shape == (1, 1, 3)


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    image = Image.fromarray(np.repeat(np.array([[[0], [255]]], np.uint8), 3, axis=2))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned clockwise
    image.resize((16, 8), Image.Resampling.NEAREST).save(tmp_path / "0.jpg", exif=exif)
    upright = read_image(tmp_path / "0.jpg")
    assert upright.shape == (16, 8, 3)
    assert upright[2].max() < 60
    assert upright[-2].min() > 200


def test_missing_folder() -> None:
    with pytest.raises(VideoReadError, match="there is no video nowhere; check the path"):
        FrameFolder(Path("nowhere"), RATE)


def test_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "readme.md").write_text("no picture")
    with pytest.raises(VideoReadError, match=r"holds no frame; put pictures into it \(.*\.jpg"):
        FrameFolder(tmp_path, RATE)


def test_mixed_sizes(tmp_path: Path) -> None:
    save(tmp_path / "0.png")
    save(tmp_path / "1.png", size=(6, 5))
    with pytest.raises(VideoReadError, match=r"1\.png is 6x5, 0\.png is 6x4; .* one size"):
        list(FrameFolder(tmp_path, RATE))


def test_same_frame_name_twice(tmp_path: Path) -> None:
    save(tmp_path / "0.png")
    save(tmp_path / "0.jpg")
    with pytest.raises(VideoReadError, match="have the same frame name; keep one"):
        FrameFolder(tmp_path, RATE)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_truncated_picture(suffix: str, tmp_path: Path) -> None:
    random = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    save(tmp_path / f"0.{suffix}", size=(64, 64))
    path = tmp_path / f"1.{suffix}"
    Image.fromarray(random).save(path)
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(VideoReadError, match=rf"1\.{suffix} cannot be read .*write it again"):
        list(FrameFolder(tmp_path, RATE))


def test_file_that_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_text("text")
    with pytest.raises(VideoReadError, match=r"0\.png cannot be read"):
        FrameFolder(tmp_path, RATE)


def test_animated_picture_is_refused(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (0, 200)]
    frames[0].save(tmp_path / "0.png", save_all=True, append_images=frames[1:])
    with pytest.raises(VideoReadError, match="is an animated picture; convert it"):
        FrameFolder(tmp_path / "0.png", RATE)
