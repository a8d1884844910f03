"""Decode, compute and write at the same time."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rvos.inference.background import ReadAhead, WriteBehind
from rvos.inference.busy_clock import BusyClock
from rvos.inference.model_frames import ModelFrame
from rvos.inference.output_folder import OutputFolder, expression_slug
from rvos.inference.progress import make_bar
from rvos.inference.results import ExpressionRecord, FrameSegmentation
from rvos.inference.streaming import StreamSession
from rvos.inference.video_frame import FrameSource, VideoReadError
from rvos.visualization.overlay import draw_overlay
from rvos.visualization.video_writer import VideoWriter

_CHUNKS_AHEAD = 2
_FRAMES_BEHIND = 8


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


@dataclass
class SegmentRun:
    """What is known after a video was segmented: a few numbers per frame, no pictures.

    Attributes:
        records: One per expression.
        frame_ids: T names.
        timestamps: T times in seconds.
        clock: Time of the compute, started with the run.
    """

    records: list[ExpressionRecord]
    frame_ids: list[str] = field(default_factory=list)
    timestamps: list[float] = field(default_factory=list)
    clock: BusyClock = field(default_factory=BusyClock)

    def add(self, frame: FrameSegmentation) -> None:
        """Note the next frame.

        Args:
            frame: Its answer.
        """
        self.frame_ids.append(frame.frame_id)
        self.timestamps.append(frame.timestamp)
        for record, found in zip(self.records, frame.objects, strict=True):
            record.add(found)


class PictureWriter:
    """Writes masks and overlay of one frame after the other, which it decodes once more.

    The frames themselves are not kept until their answers come: that would take gigabytes.

    Args:
        source: The video.
        plan: What to write.
        folder: Gets the masks.
        overlay: Gets the frames with the masks drawn in; None = none.
    """

    def __init__(
        self,
        source: FrameSource,
        plan: OutputPlan,
        folder: OutputFolder,
        overlay: VideoWriter | None,
    ) -> None:
        self.source = source
        self.plan = plan
        self.folder = folder
        self.overlay = overlay
        self._frames = iter(source)

    def write(self, answer: FrameSegmentation) -> None:
        """Write one frame.

        Args:
            answer: Of the next frame.

        Raises:
            RvosError: The video has changed meanwhile, or something cannot be written.
        """
        found = answer.objects
        masks = [(one.mask if self.plan.every_frame else one.visible_mask).numpy() for one in found]
        if self.plan.masks:
            for number, (one, mask) in enumerate(zip(found, masks, strict=True), 1):
                slug = expression_slug(number, one.expression)
                self.folder.write_mask(slug, answer.frame_id, mask)
        if self.overlay is None:
            return
        frame = next(self._frames, None)
        if frame is None:
            message = f"{self.source.name} has become shorter while it was read; start again"
            raise VideoReadError(message)
        labels = [f"{one.score:.2f}  {one.expression}" for one in found]
        self.overlay.write(draw_overlay(frame.image, np.stack(masks), labels), frame.pts)


def run_pipeline(
    session: StreamSession,
    chunks: Iterable[list[ModelFrame]],
    pictures: PictureWriter,
    expressions: list[str],
) -> SegmentRun:
    """Segment a video: one thread reads ahead, one writes behind, this one computes.

    Args:
        session: A new stream.
        chunks: The video's frames for the model.
        pictures: Writes what is found.
        expressions: As they were asked for.

    Returns:
        Scores, boxes and times.

    Raises:
        RvosError: Anything went wrong in any of the threads.
    """
    run = SegmentRun([ExpressionRecord(expression) for expression in expressions])
    expected = pictures.source.num_frames_estimate
    with (
        ReadAhead(chunks, _CHUNKS_AHEAD) as ahead,
        WriteBehind(pictures.write, _FRAMES_BEHIND) as behind,
    ):
        with make_bar("segmenting", expected, show=True) as bar:
            for chunk in ahead:
                for frame in run.clock.watch(session.add(chunk)):
                    run.add(frame)
                    behind.put(frame)
                bar.update(len(chunk))
        if session.num_seen == 0:
            message = f"{pictures.source.name} holds no frame; check that it plays"
            raise VideoReadError(message)
        left = session.num_seen - session.num_answered
        with make_bar("finishing", left, show=True) as bar:
            for frame in run.clock.watch(session.finish()):
                run.add(frame)
                behind.put(frame)
                bar.update()
    return run


@contextmanager
def open_pictures(
    source: FrameSource, plan: OutputPlan, folder: OutputFolder
) -> Iterator[PictureWriter]:
    """Open what a video's results are written with.

    Args:
        source: The video.
        plan: What to write.
        folder: Gets the masks.

    Yields:
        The writer; the overlay appears when the block ends well.
    """
    with ExitStack() as stack:
        overlay = None
        if plan.overlay is not None:
            rate, base = source.frame_rate, source.time_base
            overlay = stack.enter_context(
                VideoWriter(plan.overlay, source.size, rate, base, source.sample_aspect_ratio)
            )
        yield PictureWriter(source, plan, folder, overlay)
