"""`rvos segment`: find what expressions describe in a video."""

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import rvos
from rvos.inference.device import choose_device
from rvos.inference.output_folder import OutputError, OutputFolder, expression_slug
from rvos.inference.predictor import Predictor
from rvos.inference.progress import make_bar
from rvos.inference.results import ExpressionTracks
from rvos.inference.segment_report import result_json, result_table
from rvos.inference.selection import choose_selection
from rvos.inference.video_frame import FrameSource
from rvos.inference.video_io import DEFAULT_FRAME_RATE, open_video
from rvos.visualization.overlay import draw_overlay
from rvos.visualization.video_writer import VideoWriter

_VIDEO_SUFFIXES = {".mp4", ".mov"}


@dataclass
class OutputPlan:
    """Where the results go.

    Attributes:
        folder: Masks and results.json.
        overlay: The overlay video; None = none.
        masks: Whether masks are written.
        every_frame: Whether masks of frames where the object was not found are shown too.

    >>> OutputPlan(Path("out"), None, masks=True, every_frame=False).overlay is None
    True
    """

    folder: Path
    overlay: Path | None
    masks: bool
    every_frame: bool


def main(argv: Sequence[str]) -> int:
    """Run `rvos segment`.

    Args:
        argv: The arguments after the verb.

    Returns:
        The exit status.

    Raises:
        RvosError: Something that the user can mend.
    """
    options = build_parser().parse_args(argv)
    plan = plan_output(options)
    source = open_video(options.video, options.frame_rate)
    predictor = Predictor(
        rvos.load_model(options.weights, options.tokenizer, choose_device(options.device)),
        choose_selection(options.union, options.no_target),
        options.threshold,
        options.short_side,
        frame_rate=options.frame_rate,
    )
    texts = predictor.tokenize_expressions(options.expressions)
    with OutputFolder(plan.folder) as folder:
        clip = predictor.read(source, show_progress=True)
        tracks = predictor.track(clip, texts, show_progress=True)
        report = result_json(tracks, clip.frame_ids, clip.timestamps, options.threshold)
        folder.write_text("results.json", report)
        padding = _write_pictures(source, tracks, plan, folder)
    _say(_summary(tracks, plan, padding))
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Declare the arguments of `rvos segment`.

    Returns:
        The parser.

    >>> build_parser().parse_args(["clip.mp4", "a dog", "a cat"]).expressions
    ['a dog', 'a cat']
    """
    parser = argparse.ArgumentParser(prog="rvos segment", allow_abbrev=False)
    add = parser.add_argument
    add("video", help="video file, folder of pictures, or one picture")
    add("expressions", nargs="+", metavar="expression", help="what to find, in quotes")
    add("-o", "--output", type=Path, help="folder, or the overlay's .mp4 path")
    add("--weights", default="tiny", help="'tiny', a path or a hub id")
    add("--tokenizer", help="folder or hub id, where the weights carry none")
    add("--overlay", action=argparse.BooleanOptionalAction, default=True)
    add("--masks", action=argparse.BooleanOptionalAction, default=False)
    add("--every-frame", action="store_true", help="show masks where nothing was found, too")
    add("--threshold", type=_share, default=0.5, help="score from which a frame counts as found")
    add("--union", type=_share, metavar="SCORE", help="unite all objects above this mean score")
    add(
        "--no-target",
        type=_share,
        metavar="SCORE",
        help="find nothing if no mean score is above",
    )
    add("--short-side", type=_positive_int, help="pixels of the shorter side for the model")
    add("--frame-rate", type=_positive_float, default=DEFAULT_FRAME_RATE, help="of a folder")
    add("--device", default="auto", help="for example cpu; auto takes the accelerator if any")
    return parser


def plan_output(options: argparse.Namespace) -> OutputPlan:
    """Decide where the results go and refuse what cannot work, before the model is loaded.

    Args:
        options: From ``build_parser``.

    Returns:
        The plan.

    Raises:
        OutputError: Nothing would be written, or over a folder or the source.

    >>> plan_output(build_parser().parse_args(["in/clip.mov", "a dog"])).overlay.as_posix()
    'clip_segmented/overlay.mp4'
    """
    if not options.overlay and not options.masks:
        message = "--no-overlay leaves nothing to write; add --masks"
        raise OutputError(message)
    video = Path(options.video)
    output: Path = options.output or Path(f"{video.resolve().stem}_segmented")
    overlay = output / "overlay.mp4"
    if output.suffix.lower() in _VIDEO_SUFFIXES and not output.is_dir():
        overlay, output = output, output.with_suffix("")
    if output.exists() and not output.is_dir():
        message = f"{output} is a file; choose another folder with -o"
        raise OutputError(message)
    if options.overlay and overlay.is_dir():
        message = f"{overlay} is a folder; choose another output with -o"
        raise OutputError(message)
    if options.overlay and overlay.resolve() == video.resolve():
        message = f"the overlay would overwrite the video {video}; choose another output with -o"
        raise OutputError(message)
    return OutputPlan(
        output, overlay if options.overlay else None, options.masks, options.every_frame
    )


def _write_pictures(
    source: FrameSource, tracks: list[ExpressionTracks], plan: OutputPlan, folder: OutputFolder
) -> str:
    """Decode once more and write frame by frame; returns a note about padding, or nothing."""
    num_frames = len(tracks[0].scores)
    slugs = [expression_slug(i + 1, track.expression) for i, track in enumerate(tracks)]
    with _overlay_writer(source, plan) as writer, make_bar("writing", num_frames, True) as bar:
        for frame in source:
            masks = [_shown_mask(track, frame.index, plan.every_frame) for track in tracks]
            if plan.masks:
                for slug, mask in zip(slugs, masks, strict=True):
                    folder.write_mask(slug, frame.frame_id, mask)
            if writer is not None:
                labels = [f"{float(t.scores[frame.index]):.2f}  {t.expression}" for t in tracks]
                writer.write(draw_overlay(frame.image, np.stack(masks), labels), frame.pts)
            bar.update()
    if writer is None or writer.padded_size == writer.size:
        return ""
    (height, width), (padded_height, padded_width) = writer.size, writer.padded_size
    note = f"padded from {width}x{height} to {padded_width}x{padded_height}: H.264 needs even sizes"
    return f"{note}; masks keep {width}x{height}" if plan.masks else note


@contextlib.contextmanager
def _overlay_writer(source: FrameSource, plan: OutputPlan) -> Iterator[VideoWriter | None]:
    if plan.overlay is None:
        yield None
        return
    with VideoWriter(
        plan.overlay,
        source.size,
        source.frame_rate,
        source.time_base,
        source.sample_aspect_ratio,
    ) as writer:
        yield writer


def _shown_mask(track: ExpressionTracks, index: int, every_frame: bool) -> np.ndarray:
    mask: np.ndarray = track.mask(index).numpy()
    return mask if every_frame or bool(track.present[index]) else np.zeros_like(mask)


def _summary(tracks: list[ExpressionTracks], plan: OutputPlan, padding: str) -> str:
    folders = [
        str(plan.folder / "masks" / expression_slug(i + 1, track.expression)) if plan.masks else ""
        for i, track in enumerate(tracks)
    ]
    lines = [result_table(tracks, folders), ""]
    if plan.overlay is not None:
        lines.append(f"overlay  {plan.overlay}" + (f"  ({padding})" if padding else ""))
    lines.append(f"scores   {plan.folder / 'results.json'}")
    return "\n".join(lines)


def _share(text: str) -> float:
    return _number(text, 0.0, 1.0)


def _positive_int(text: str) -> int:
    return int(_number(text, 1.0, 10_000.0))


def _positive_float(text: str) -> float:
    return _number(text, 0.001, 1000.0)


def _number(text: str, lowest: float, highest: float) -> float:
    message = f"{text!r} is not a number between {lowest} and {highest}"
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(message) from error
    if not lowest <= value <= highest:
        raise argparse.ArgumentTypeError(message)
    return value


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
