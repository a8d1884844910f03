"""Segment a video from Python."""

import contextlib
from collections.abc import Iterator, Sequence

import torch

from rvos.inference.clip_reader import ModelClip, read_clip
from rvos.inference.progress import make_bar
from rvos.inference.results import ExpressionTracks, SegmentationResult
from rvos.inference.segmenter import Segmenter
from rvos.inference.selection import MaskStretch, TopOne, TrackSelection
from rvos.inference.video_frame import FrameSource
from rvos.inference.video_io import DEFAULT_FRAME_RATE, VideoLike, open_video
from rvos.ops.boxes import box_cxcywh_to_xyxy
from rvos.structures import ImageFeatures, SegmentationOutput, TextTokens
from rvos.structures.errors import RvosError
from rvos.transforms.frames import normalise_pixels

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
        >>> class AllBackground(torch.nn.Module):
        ...     def tokenize(self, text: list[str]) -> TextTokens:
        ...         return TextTokens(torch.ones(1, 3).long(), torch.ones(1, 3).long())
        ...     def encode_frames(self, frames: torch.Tensor) -> list[ImageFeatures]:
        ...         self.num_frames = frames.shape[1]
        ...         return []
        ...     def segment_features(self, image, tokens, frame_size) -> SegmentationOutput:
        ...         masks = -torch.ones(1, self.num_frames, 2, 4, 6)
        ...         return SegmentationOutput(masks[..., 0, :1], masks[..., 0, :4], masks)
        >>> predictor = Predictor(AllBackground(), short_side=16)
        >>> result, = predictor.segment(np.zeros((3, 20, 30, 3), np.uint8), "the red car")
        >>> result.masks.shape, result.present.tolist()
        (torch.Size([3, 20, 30]), [False, False, False])
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
        self.selection = selection or TopOne()
        self.presence_threshold = presence_threshold
        trained_side: int = getattr(model, "input_short_side", _RELEASED_SHORT_SIDE)
        self.short_side: int = short_side or trained_side
        self.mask_stretch = mask_stretch
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
            show_progress: Draw progress bars with the time left on stderr.

        Returns:
            One result per expression, in their order.

        Raises:
            RvosError: The video cannot be read or an expression cannot be used.
        """
        texts = self.tokenize_expressions(expressions)
        clip = read_clip(open_video(video, self.frame_rate), self.short_side, show_progress)
        return [
            tracks.enlarge(clip.frame_ids, clip.timestamps)
            for tracks in self.track(clip, texts, show_progress)
        ]

    def read(self, source: FrameSource, show_progress: bool = False) -> ModelClip:
        """Read a video at the size that the model wants.

        Args:
            source: From ``open_video``.
            show_progress: Draw a progress bar with the time left on stderr.

        Returns:
            The clip, for ``track``.

        Raises:
            VideoReadError: The video cannot be read.
        """
        return read_clip(source, self.short_side, show_progress)

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

    @torch.inference_mode()
    def track(
        self, clip: ModelClip, texts: list[tuple[str, TextTokens]], show_progress: bool = False
    ) -> list[ExpressionTracks]:
        """Find the tracks that expressions refer to.

        Args:
            clip: The whole video.
            texts: From ``tokenize_expressions``.
            show_progress: Draw a progress bar with the time left on stderr.

        Returns:
            One result per expression.

        Raises:
            SegmentationRequestError: The accelerator's memory does not suffice.
        """
        num_frames = len(clip.frame_ids)
        try:
            image = self._encode(clip, show_progress)
            with _progress_of_grounder(self.model, num_frames * len(texts), show_progress):
                return [
                    self._select(
                        clip,
                        expression,
                        self.model.segment_features(image, tokens, clip.input_size),
                    )
                    for expression, tokens in texts
                ]
        except torch.OutOfMemoryError as error:
            message = (
                f"{num_frames} frames of {clip.input_size[1]}x{clip.input_size[0]} do not fit into "
                "the accelerator's memory; use a smaller short side or the CPU"
            )
            raise SegmentationRequestError(message) from error

    def _encode(self, clip: ModelClip, show_progress: bool) -> list[ImageFeatures]:
        """Encode the frames once for all expressions, in chunks, so that the bar moves."""
        parameter = next(iter(self.model.parameters()), torch.zeros(0))
        bar = make_bar("encoding", len(clip.frames), show_progress)
        image: list[ImageFeatures] = []
        with bar:
            for chunk in clip.frames.split(self.frames_per_chunk):
                frames = normalise_pixels(chunk, parameter.device, parameter.dtype)
                image += self.model.encode_frames(frames.unsqueeze(0))
                bar.update(len(chunk))
        return image

    def _select(
        self, clip: ModelClip, expression: str, output: SegmentationOutput
    ) -> ExpressionTracks:
        logits = output.pred_logits[0]
        chosen = self.selection(logits)
        mask_logits = output.pred_masks[0, :, chosen].transpose(0, 1).float().cpu()
        # Where nothing was chosen, scores and boxes are those of the track that came closest.
        told = chosen if len(chosen) else TopOne()(logits)
        scores = logits[:, told, 0].float().sigmoid().amax(dim=1).cpu()
        boxes = box_cxcywh_to_xyxy(output.pred_boxes[0, :, told].float().cpu())
        hull = torch.cat([boxes[..., :2].amin(dim=1), boxes[..., 2:].amax(dim=1)], dim=-1)
        height, width = clip.original_size
        not_empty = (mask_logits > 0).flatten(2).any(dim=2).any(dim=0)
        return ExpressionTracks(
            expression=expression,
            mask_logits=mask_logits,
            boxes_xyxy=hull.clamp(0, 1) * torch.tensor([width, height, width, height]),
            scores=scores,
            present=(scores >= self.presence_threshold) & not_empty,
            input_size=clip.input_size,
            original_size=clip.original_size,
            stretch=self.mask_stretch,
        )


@contextlib.contextmanager
def _progress_of_grounder(model: Segmenter, num_frames: int, show: bool) -> Iterator[None]:
    """Draw a bar over ``num_frames`` frames that moves with every call of the model's grounder."""
    grounder = getattr(model, "grounder", None)
    with contextlib.ExitStack() as stack:
        bar = stack.enter_context(make_bar("segmenting", num_frames, show))
        if isinstance(grounder, torch.nn.Module):

            def count_frames(_: object, inputs: tuple[object, ...], __: object) -> None:
                if isinstance(inputs[0], ImageFeatures):
                    bar.update(len(inputs[0].tokens))

            stack.callback(grounder.register_forward_hook(count_frames).remove)
        yield
        bar.update(num_frames - bar.n)
