"""Segment a video from Python."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from rvos.inference.expression_stream import AnswerRules
from rvos.inference.frame_list import FrameLike
from rvos.inference.model_frames import ModelFrame, resize_frames
from rvos.inference.progress import make_bar
from rvos.inference.results import FrameSegmentation, SegmentationResult, gather_results
from rvos.inference.segmenter import Segmenter
from rvos.inference.selection import MaskStretch, TopOne, TrackSelection
from rvos.inference.stream_mode import StreamMode, StreamOptions
from rvos.inference.streaming import StreamSession
from rvos.inference.video_frame import VideoFrame, VideoReadError
from rvos.inference.video_io import DEFAULT_FRAME_RATE, VideoLike, open_video
from rvos.structures import TextTokens
from rvos.structures.errors import RvosError

_RELEASED_SHORT_SIDE = 360


class SegmentationRequestError(RvosError):
    """What was asked for cannot be segmented."""


class Predictor:
    """Segments videos of any kind with a model.

    Args:
        model: For example from ``rvos.load_model``; it is put into eval mode.
        selection: Which tracks an expression refers to; None = the best one.
        presence_threshold: Score from which a frame counts as showing the object, in [0, 1].
        short_side: Pixels of the frames' shorter side for the model; None = what the model was
            trained for, 360 where it does not tell.
        mask_stretch: How the model's small masks are enlarged; see ``resize_mask_logits``.
        frame_rate: Frames per second of videos without a clock: folders, arrays, lists.
        frames_per_chunk: Frames that the per-frame stages see at a time; less takes less memory.

    Example:
        >>> import numpy as np
        >>> import rvos
        >>> predictor = Predictor(rvos.load_model("tiny"), short_side=64)
        >>> video = np.zeros((3, 80, 120, 3), np.uint8)
        >>> result, = predictor.segment(video, "the red square")
        >>> result.masks.shape, len(result.scores)
        (torch.Size([3, 80, 120]), 3)
        >>> for frame in predictor.stream(iter(video), "the red square", mode="causal"):
        ...     print(frame.index, frame.objects[0].mask.shape)
        0 torch.Size([80, 120])
        1 torch.Size([80, 120])
        2 torch.Size([80, 120])
    """

    def __init__(
        self,
        model: Segmenter,
        selection: TrackSelection | None = None,
        presence_threshold: float = 0.5,
        short_side: int | None = None,
        mask_stretch: MaskStretch = "released",
        frame_rate: float = DEFAULT_FRAME_RATE,
        frames_per_chunk: int = 8,
    ) -> None:
        self.model = model
        self.rules = AnswerRules(selection or TopOne(), presence_threshold, mask_stretch)
        trained_side: int = getattr(model, "input_short_side", _RELEASED_SHORT_SIDE)
        self.short_side: int = short_side or trained_side
        self.frame_rate = frame_rate
        self.frames_per_chunk = frames_per_chunk
        model.eval()

    def segment(
        self, video: VideoLike, expressions: str | Sequence[str], show_progress: bool = False
    ) -> list[SegmentationResult]:
        """Segment a whole video with one or several expressions.

        Args:
            video: Path of a video file, of a folder of pictures or of one picture; a uint8 array
                ``[T, H, W, 3]``; or a list of NumPy or PIL frames.
            expressions: What to segment.
            show_progress: Draw a progress bar with the time left on stderr.

        Returns:
            One result per expression, in their order.

        Raises:
            RvosError: The video cannot be read or an expression cannot be used.
        """
        texts = self.tokenize_expressions(expressions)
        source = open_video(video, self.frame_rate)
        session = self.open_session(texts, StreamOptions("exact"))
        with make_bar("segmenting", source.num_frames_estimate, show_progress) as bar:
            for chunk in self.read_chunks(source, self.frames_per_chunk):
                # In exact mode nothing is answered before the end.
                list(session.add(chunk))
                bar.update(len(chunk))
            if session.num_seen == 0:
                message = f"{source.name} holds no frame; check that it plays"
                raise VideoReadError(message)
            return gather_results(session.finish())

    def stream(
        self,
        frames: VideoLike | Iterable[VideoFrame | FrameLike],
        expressions: str | Sequence[str],
        mode: StreamMode = "windowed",
        window: int | None = None,
        overlap: int | None = None,
    ) -> Iterator[FrameSegmentation]:
        """Segment frames as they come, of a camera for example, in memory that does not grow.

        Args:
            frames: Anything that yields uint8 arrays ``[H, W, 3]``, PIL images or frames of a
                video, all of one size, without end if need be; or a video as for :meth:`segment`.
            expressions: What to segment.
            mode: When answers come; see ``StreamOptions``. ``causal`` reads frames one by one.
            window: Frames that see each other; None = 128, and 64 for ``causal``.
            overlap: Frames that two windows share; None = half a window.

        Returns:
            Every frame once, in order. No frame, no answer.

        Raises:
            RvosError: An expression or the window cannot be used; or, while iterating, a frame
                cannot be read.
        """
        options = StreamOptions(mode, window, overlap)
        session = self.open_session(self.tokenize_expressions(expressions), options)
        chunks = self.read_chunks(
            open_video(frames, self.frame_rate) if isinstance(frames, str | Path) else frames,
            1 if mode == "causal" else self.frames_per_chunk,
        )
        return _answers(session, chunks)

    def open_session(
        self,
        texts: Sequence[tuple[str, TextTokens]],
        options: StreamOptions,
        notify: Callable[[str], None] | None = None,
    ) -> StreamSession:
        """Begin a stream whose frames are given by hand.

        Args:
            texts: From :meth:`tokenize_expressions`.
            options: When to answer.
            notify: Gets a line whenever the session decides something.

        Returns:
            The session.
        """
        return StreamSession(self.model, texts, self.rules, options, self.frames_per_chunk, notify)

    def read_chunks(
        self, frames: Iterable[VideoFrame | FrameLike], frames_per_chunk: int
    ) -> Iterator[list[ModelFrame]]:
        """Read frames at the size that the model wants.

        Args:
            frames: A video or its frames.
            frames_per_chunk: How many at a time.

        Yields:
            The frames, all but the last chunk of the same length.

        Raises:
            VideoReadError: A frame cannot be read or has another size.
        """
        chunk: list[ModelFrame] = []
        for frame in resize_frames(frames, self.short_side, self.frame_rate):
            chunk.append(frame)
            if len(chunk) == frames_per_chunk:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def tokenize_expressions(
        self, expressions: str | Sequence[str]
    ) -> list[tuple[str, TextTokens]]:
        """Check and tokenise expressions, before any time is spent on the video.

        Args:
            expressions: What to segment.

        Returns:
            Each expression with its tokens ``[1, L]``.

        Raises:
            RvosError: None was given, a blank one, or one over the model's token limit.
        """
        expressions = [expressions] if isinstance(expressions, str) else list(expressions)
        if not expressions:
            message = "no expression was given; write what to segment, for example 'the red car'"
            raise SegmentationRequestError(message)
        for expression in expressions:
            if not expression.strip():
                message = "an expression is blank; write what to segment, for example 'the red car'"
                raise SegmentationRequestError(message)
        return [(expression, self.model.tokenize([expression])) for expression in expressions]


def _answers(
    session: StreamSession, chunks: Iterable[list[ModelFrame]]
) -> Iterator[FrameSegmentation]:
    for chunk in chunks:
        yield from session.add(chunk)
    yield from session.finish()
