import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from torch import nn

import rvos
from rvos import cli
from rvos.inference import segment_command
from rvos.inference.output_folder import OutputFolder
from rvos.inference.segment_command import EXIT_INCOMPLETE
from rvos.storage import FolderLock
from rvos.visualization.palette import distinct_colours
from rvos.visualization.video_writer import VideoWriter

Clip = Callable[..., np.ndarray]
WriteVideo = Callable[..., Path]


@pytest.fixture(autouse=True)
def _model(colour_model: nn.Module, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def load_model(source: str, tokenizer: object, device: object) -> nn.Module:
        assert source == "tiny"
        return colour_model

    # Not by name: looking the real one up would import the models.
    monkeypatch.setitem(vars(rvos), "load_model", load_model)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)


def run(*arguments: object) -> int:
    return cli.main(["segment", *map(str, arguments)])


def listing(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def decode(path: Path) -> tuple[list[np.ndarray], list[float], Fraction]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        rate = stream.average_rate
        frames = list(container.decode(stream))
        images = [frame.to_ndarray(format="rgb24") for frame in frames]
        return images, [frame.time for frame in frames], rate


def test_overlay_masks_and_report(
    moving_square: Clip, write_video: WriteVideo, capsys: pytest.CaptureFixture[str]
) -> None:
    video = moving_square()
    path = write_video("clip.mp4", video)
    assert run(path, "the red square", "green", "-o", "out", "--masks") == 0
    names = [f"{index:05d}.png" for index in range(4)]
    assert listing(Path("out")) == {
        "overlay.mp4", "results.json", "masks", "masks/01_the-red-square", "masks/02_green",
        *(f"masks/01_the-red-square/{name}" for name in names),
        *(f"masks/02_green/{name}" for name in names),
    }  # fmt: skip
    images, times, rate = decode(Path("out/overlay.mp4"))
    assert [image.shape for image in images] == [(64, 96, 3)] * 4
    assert times == pytest.approx([0, 0.1, 0.2, 0.3])
    assert rate == 10
    masks = [np.array(Image.open(f"out/masks/01_the-red-square/{name}")) for name in names]
    truth = (video == (255, 0, 0)).all(-1)
    assert {int(value) for mask in masks for value in np.unique(mask)} == {0, 255}
    overlap = [((m > 0) & t).sum() / ((m > 0) | t).sum() for m, t in zip(masks, truth, strict=True)]
    assert min(overlap) > 0.85
    green = [np.array(Image.open(f"out/masks/02_green/{name}")).any() for name in names]
    assert green == [False, False, True, False]

    captured = capsys.readouterr()
    table = captured.out.splitlines()
    assert table[1].split()[:3] == ["the", "red", "square"]
    assert "4 of 4" in table[1]
    assert "0-3" in table[1]
    assert table[2].split()[:5] == ["green", "1", "of", "4", "2"]
    assert "out/overlay.mp4" in captured.out
    assert "exact: frames see the whole video" in captured.err
    assert "the model was busy" in captured.out
    for stage in ("segmenting", "finishing"):
        assert f"{stage}: 100%" in captured.err
    report = json.loads(Path("out/results.json").read_text())
    assert report["expressions"][1]["present"] == [False, False, True, False]


def test_nothing_is_found_where_nothing_is_sure_enough(
    moving_square: Clip, write_video: WriteVideo, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_video("clip.mp4", moving_square())
    options = ["--no-overlay", "--masks", "--every-frame", "--union", 0.3]
    assert run(path, "the red square", "-o", "out", *options, "--no-target", 0.999) == 0
    masks = [np.array(Image.open(path)) for path in Path("out").rglob("*.png")]
    assert len(masks) == 4
    assert not np.any(masks)
    assert "0 of 4" in capsys.readouterr().out
    (report,) = json.loads(Path("out/results.json").read_text())["expressions"]
    assert report["mean_score"] > 0.9
    assert not any(report["present"])


def test_each_expression_has_its_colour(moving_square: Clip, write_video: WriteVideo) -> None:
    video = moving_square()
    path = write_video("clip.mp4", video)
    assert run(path, "red", "green", "-o", "out.mp4") == 0
    images, _, _ = decode(Path("out.mp4"))
    for colour, pixel in zip(distinct_colours(2), [(30, 35), (56, 84)], strict=True):
        expected = 0.55 * video[2][pixel] + 0.45 * np.array(colour)
        assert np.abs(images[2][pixel] - expected).max() < 25
    assert np.abs(images[0][60, 90].astype(int) - 128).max() < 6


def test_default_output_and_no_masks(moving_square: Clip, write_video: WriteVideo) -> None:
    path = write_video("my clip.gif", moving_square(), codec="gif", pixel_format="rgb8")
    assert run(path, "red") == 0
    assert listing(Path()) == {
        "my clip_segmented", "my clip_segmented/overlay.mp4", "my clip_segmented/results.json",
    }  # fmt: skip


def test_variable_frame_rate_keeps_its_timestamps(
    moving_square: Clip, write_video: WriteVideo
) -> None:
    stamps = [0, 33, 200, 505]
    path = write_video("clip.mp4", moving_square(), stamps, Fraction(1, 1000))
    assert run(path, "red", "-o", "out.mp4") == 0
    assert decode(Path("out.mp4"))[1] == pytest.approx([stamp / 1000 for stamp in stamps])


def test_odd_size_is_padded_and_says_so(
    moving_square: Clip, write_video: WriteVideo, capsys: pytest.CaptureFixture[str]
) -> None:
    video = moving_square(height=65, width=97)
    path = write_video("odd.mkv", video, codec="ffv1", pixel_format="bgr0")
    assert run(path, "red", "-o", "out", "--masks") == 0
    assert decode(Path("out/overlay.mp4"))[0][0].shape == (66, 98, 3)
    assert Image.open("out/masks/01_red/00000.png").size == (97, 65)
    said = capsys.readouterr().out
    assert "padded from 97x65 to 98x66: H.264 needs even sizes; masks keep 97x65" in said


def test_one_pixel_picture(tmp_path: Path) -> None:
    Image.new("RGB", (1, 1), (255, 0, 0)).save(tmp_path / "dot.png")
    assert run(tmp_path / "dot.png", "red", "-o", "out", "--masks") == 0
    images, times, _ = decode(Path("out/overlay.mp4"))
    assert (len(images), images[0].shape, times) == (1, (2, 2, 3), [0.0])
    assert np.array(Image.open("out/masks/01_red/dot.png")).tolist() == [[255]]


def test_folder_of_transparent_frames(moving_square: Clip, tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for index, frame in enumerate(moving_square()):
        image = Image.fromarray(frame)
        image.putalpha(255)
        image.save(folder / f"f{index}.png")
    assert run(folder, "red", "--masks", "--frame-rate", "5", "-o", "out") == 0
    images, times, rate = decode(Path("out/overlay.mp4"))
    assert (len(images), rate) == (4, 5)
    assert times == pytest.approx([0, 0.2, 0.4, 0.6])
    assert sorted(path.name for path in Path("out/masks/01_red").iterdir()) == [
        "f0.png", "f1.png", "f2.png", "f3.png",
    ]  # fmt: skip


def test_every_frame_shows_masks_of_frames_without_the_object(
    moving_square: Clip, write_video: WriteVideo
) -> None:
    path = write_video("clip.mp4", moving_square())
    arguments = (path, "red", "--masks", "--no-overlay", "--threshold", "0.99")
    assert run(*arguments, "-o", "a") == 0
    assert run(*arguments, "-o", "b", "--every-frame") == 0
    assert not np.array(Image.open("a/masks/01_red/00000.png")).any()
    assert np.array(Image.open("b/masks/01_red/00000.png")).any()
    assert not list(Path("a").glob("*.mp4"))


def test_union_and_short_side_reach_the_predictor(
    moving_square: Clip, write_video: WriteVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video("clip.mp4", moving_square())
    made = []
    original = segment_command.Predictor

    def remember(*args: object, **kwargs: object) -> object:
        made.append(original(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr(segment_command, "Predictor", remember)
    assert run(path, "red", "--union", "0.3", "--short-side", "64", "--device", "cpu") == 0
    assert made[0].rules.selection.threshold == 0.3
    assert made[0].short_side == 64


def assert_fails(
    capsys: pytest.CaptureFixture[str], message: str, *arguments: object, status: int = 1
) -> None:
    """Run and expect one clear line and nothing new on disk."""
    before = listing(Path.cwd().parent)
    assert run(*arguments) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    (error,) = [line for line in captured.err.splitlines() if line.startswith("rvos: error")]
    assert message in error
    assert "Traceback" not in captured.err
    assert listing(Path.cwd().parent) == before


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.mp4", None, "there is no video"),
        ("missing", None, "there is no video"),
        ("text.mp4", b"text" * 500, "cannot be read as a video"),
        ("empty.webm", b"", "cannot be read as a video"),
        ("empty.y4m", b"YUV4MPEG2 W8 H8 F10:1 C420\n", "holds no frame"),
        ("broken.png", b"text", "cannot be read"),
    ],
)
def test_bad_videos(
    name: str, content: bytes | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    assert_fails(capsys, message, name, "red", "-o", "out")


def test_empty_folder(capsys: pytest.CaptureFixture[str]) -> None:
    Path("frames").mkdir()
    assert_fails(capsys, "holds no frame; put pictures into it", "frames", "red")


@pytest.mark.parametrize("expression", ["", "   "])
def test_blank_expression(
    expression: str,
    moving_square: Clip,
    write_video: WriteVideo,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write_video("clip.mp4", moving_square())
    assert_fails(capsys, "an expression is blank; write what", path, "red", expression)


def test_expression_over_the_token_limit(
    moving_square: Clip, write_video: WriteVideo, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_video("clip.mp4", moving_square())
    assert_fails(capsys, "11 tokens, the model reads at most 10", path, "red " * 11)


def test_bad_outputs(
    moving_square: Clip, write_video: WriteVideo, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_video("clip.mp4", moving_square())
    Path("file").write_text("")
    Path("folder/overlay.mp4").mkdir(parents=True)
    assert_fails(capsys, "file is a file; choose another", path, "red", "-o", "file")
    assert_fails(capsys, "cannot write to file", path, "red", "-o", "file/out")
    assert_fails(capsys, "overlay.mp4 is a folder", path, "red", "-o", "folder")
    assert_fails(capsys, "would overwrite the video", path, "red", "-o", path)
    assert_fails(capsys, "leaves nothing to write; add --masks", path, "red", "--no-overlay")


def test_unknown_device(
    moving_square: Clip, write_video: WriteVideo, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_video("clip.mp4", moving_square())
    assert_fails(capsys, "no device 'tpu9' here; try", path, "red", "--device", "tpu9")


@pytest.mark.parametrize(
    "arguments", [("--threshold", "2"), ("--union", "x"), ("--short-side", "0"), ("--colour",)]
)
def test_bad_options_are_usage_errors(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        run("clip.mp4", "red", *arguments)
    assert stop.value.code == 2
    assert arguments[0] in capsys.readouterr().err.splitlines()[-1]
    assert listing(Path()) == set()


@pytest.mark.parametrize(
    ("owner", "method", "call"),
    [
        (VideoWriter, "write", 2),
        (OutputFolder, "write_mask", 3),
        (OutputFolder, "write_text", 0),
        (VideoWriter, "_mux", 1),
    ],
)
def test_interruption_leaves_nothing(
    owner: type,
    method: str,
    call: int,
    moving_square: Clip,
    write_video: WriteVideo,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write_video("clip.mp4", moving_square())
    original, calls = getattr(owner, method), []

    def interrupt(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) > call:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(owner, method, interrupt)
    assert run(path, "red", "-o", "new/out", "--masks") == 130
    assert len(calls) == call + 1
    assert listing(Path()) == set()


def test_full_disk_leaves_nothing(
    moving_square: Clip,
    write_video: WriteVideo,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(VideoWriter, "_mux", fail)
    path = write_video("clip.mp4", moving_square())
    assert_fails(capsys, "cannot write the video new/out/overlay.mp4", path, "red", "-o", "new/out")


def damaged_in(frame: int, write_video: WriteVideo) -> Path:
    """A video of six frames, of which one holds zeros."""
    frames = np.random.default_rng(0).integers(0, 255, (6, 64, 64, 3), np.uint8)
    path = write_video("damaged.mkv", frames, codec="mjpeg", pixel_format="yuvj420p")
    content = bytearray(path.read_bytes())
    starts = [i for i in range(len(content)) if content[i : i + 3] == b"\xff\xd8\xff"]
    content[starts[frame] : starts[frame + 1]] = bytes(starts[frame + 1] - starts[frame])
    path.write_bytes(content)
    return path


def test_damaged_video_is_segmented_up_to_the_damage(
    write_video: WriteVideo, capsys: pytest.CaptureFixture[str]
) -> None:
    path = damaged_in(3, write_video)
    assert run(path, "red", "-o", "new/out", "--masks") == EXIT_INCOMPLETE == 3
    report = json.loads(Path("new/out/results.json").read_text())
    assert report["frame_ids"] == ["00000", "00001", "00002"]
    assert "damaged.mkv is damaged after 3 frames" in report["shortfall"]
    assert len(list(Path("new/out/masks/01_red").iterdir())) == 3
    assert len(decode(Path("new/out/overlay.mp4"))[0]) == 3
    warning = capsys.readouterr().err.splitlines()[-1]
    assert warning.startswith("rvos: warning: ")
    assert warning.endswith("the results are of 3 frames")


def test_video_damaged_from_the_start_leaves_nothing(
    write_video: WriteVideo, capsys: pytest.CaptureFixture[str]
) -> None:
    path = damaged_in(0, write_video)
    assert_fails(capsys, "is damaged after 0 frames", path, "red", "-o", "new/out")


def test_video_that_ends_early_says_what_is_missing(
    write_video: WriteVideo, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (20, 64, 64, 3), np.uint8)
    path = write_video("cut.mkv", frames, codec="mjpeg", pixel_format="yuvj420p")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert run(path, "red", "-o", "out") == EXIT_INCOMPLETE
    num_frames = len(json.loads(Path("out/results.json").read_text())["frame_ids"])
    assert 5 < num_frames < 15
    warning = capsys.readouterr().err.splitlines()[-1]
    assert f"after {num_frames} frames: it is cut off or damaged" in warning


def test_damaged_picture_of_a_folder_ends_it(moving_square: Clip) -> None:
    Path("frames").mkdir()
    for index, frame in enumerate(moving_square()):
        Image.fromarray(frame).save(f"frames/{index}.png")
    content = Path("frames/2.png").read_bytes()
    Path("frames/2.png").write_bytes(content[: len(content) // 2])
    assert run("frames", "red", "-o", "out") == EXIT_INCOMPLETE
    report = json.loads(Path("out/results.json").read_text())
    assert report["frame_ids"] == ["0", "1"]
    assert "2.png cannot be read" in report["shortfall"]


def test_folder_that_another_job_writes_to_is_refused(
    moving_square: Clip, write_video: WriteVideo, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_video("clip.mp4", moving_square())
    with FolderLock(Path("out")):
        assert_fails(capsys, "out is written to by another job", path, "red", "-o", "out")
    assert run(path, "red", "-o", "out") == 0
    assert not list(Path("out").glob(".*"))
