"""`rvos segment`: find what expressions describe in a video."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from tqdm import tqdm

import rvos
from rvos.inference.device import choose_device
from rvos.inference.output_folder import OutputError, OutputFolder, expression_slug
from rvos.inference.predictor import Predictor
from rvos.inference.readable_part import ReadablePart
from rvos.inference.segment_pipeline import OutputPlan, SegmentRun, open_pictures, run_pipeline
from rvos.inference.segment_report import result_json, result_table, time_line
from rvos.inference.selection import choose_selection
from rvos.inference.stream_mode import StreamMode, StreamOptions
from rvos.inference.video_frame import FrameSource
from rvos.inference.video_io import DEFAULT_FRAME_RATE, open_video
from rvos.visualization.video_writer import VideoWriter

# The results are whole, but of a part of the video only.
EXIT_INCOMPLETE = 3
_VIDEO_SUFFIXES = {".mp4", ".mov"}


def main(argv: Sequence[str]) -> int:
    """Run `rvos segment`.

    Args:
        argv: The arguments after the verb.

    Returns:
        The exit status: 0, or 3 if only the first part of the video could be read.

    Raises:
        RvosError: Something that the user can mend.
    """
    options = build_parser().parse_args(argv)
    plan = plan_output(options)
    source = ReadablePart(open_video(options.video, options.frame_rate))
    predictor = Predictor(
        rvos.load_model(options.weights, options.tokenizer, choose_device(options.device)),
        choose_selection(options.union, options.no_target),
        options.threshold,
        options.short_side,
        frame_rate=options.frame_rate,
    )
    texts = predictor.tokenize_expressions(options.expressions)
    session = predictor.open_session(texts, stream_options(options, source), _note)
    # The overlay gets its name when the block ends, so everything else is written before.
    with (
        OutputFolder(plan.folder) as folder,
        open_pictures(source, plan, folder) as pictures,
    ):
        chunks = predictor.read_chunks(source, predictor.frames_per_chunk)
        run = run_pipeline(session, chunks, pictures, [text for text, _ in texts])
        report = result_json(run, options.threshold, session.told_mode, source.shortfall)
        folder.write_text("results.json", report)
    _say(_summary(run, plan, _padding_note(pictures.overlay, plan)))
    if source.shortfall is None:
        return 0
    _note(f"rvos: warning: {source.shortfall}; the results are of {len(run.frame_ids)} frames")
    return EXIT_INCOMPLETE


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
    add("--mode", choices=get_args(StreamMode), default="auto", help="when frames are answered")
    add("--window", type=_positive_int, help="frames of a window")
    add("--overlap", type=_whole, help="frames that two windows share; half a window by default")
    add("--memory", type=_positive_float, default=2.0, metavar="GIB", help="what auto may keep")
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


def stream_options(options: argparse.Namespace, source: FrameSource) -> StreamOptions:
    """Read when to answer.

    Args:
        options: From ``build_parser``.
        source: The video.

    Returns:
        The options of the stream.

    Raises:
        WindowError: Window and overlap do not go together.
    """
    return StreamOptions(
        options.mode,
        options.window,
        options.overlap,
        memory_budget=int(options.memory * 2**30),
        num_frames=source.num_frames_estimate,
    )


def _padding_note(overlay: VideoWriter | None, plan: OutputPlan) -> str:
    if overlay is None or overlay.padded_size == overlay.size:
        return ""
    (height, width), (padded_height, padded_width) = overlay.size, overlay.padded_size
    note = f"padded from {width}x{height} to {padded_width}x{padded_height}: H.264 needs even sizes"
    return f"{note}; masks keep {width}x{height}" if plan.masks else note


def _summary(run: SegmentRun, plan: OutputPlan, padding: str) -> str:
    folders = [
        str(plan.folder / "masks" / expression_slug(i + 1, record.expression)) if plan.masks else ""
        for i, record in enumerate(run.records)
    ]
    lines = [result_table(run.records, folders), ""]
    if plan.overlay is not None:
        lines.append(f"overlay  {plan.overlay}" + (f"  ({padding})" if padding else ""))
    lines.append(f"scores   {plan.folder / 'results.json'}")
    lines.append(f"time     {time_line(run)}")
    return "\n".join(lines)


def _share(text: str) -> float:
    return _number(text, 0.0, 1.0)


def _positive_int(text: str) -> int:
    return int(_number(text, 1.0, 10_000.0))


def _whole(text: str) -> int:
    return int(_number(text, 0.0, 10_000.0))


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


def _note(line: str) -> None:
    # Past the progress bar.
    tqdm.write(line, file=sys.stderr)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
