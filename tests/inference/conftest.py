"""Videos and a model small enough for every test."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rvos.models.grounding_dino.text_encoder import ExpressionFeatures
from rvos.models.referdino.frame_parts import (
    AlignedQueries,
    EnhancedQueries,
    FramePixels,
    FrameQueries,
    GroundedFrames,
)
from rvos.models.referdino.track_memory import TrackMemory
from rvos.structures import ImageFeatures, ReferenceText, TextTokens
from rvos.structures.errors import RvosError

COLOURS = ("red", "green", "blue")


class ColourModel(nn.Module):
    """Finds pure red, green and blue pixels; query k is colour k, in every frame that has any."""

    input_short_side = 32

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.encoded_chunks: list[int] = []
        self.window_lengths: list[int] = []

    def tokenize(self, text: list[str]) -> TextTokens:
        if len(text[0].split()) > 10:
            message = f"{len(text[0].split())} tokens, the model reads at most 10; shorten it"
            raise RvosError(message)
        ids = [[COLOURS.index(c) for c in COLOURS if c in line.split()] or [9] for line in text]
        tokens = torch.tensor(ids)
        return TextTokens(tokens, torch.ones_like(tokens))

    def encode_frames(self, frames: Tensor) -> list[ImageFeatures]:
        flat = frames.flatten(0, 1)
        self.encoded_chunks.append(len(flat))
        n = len(flat)
        return [
            ImageFeatures(
                stage0=flat,
                stage0_valid=torch.ones_like(flat[:, 0], dtype=torch.bool),
                tokens=torch.zeros(n, 1, 1),
                token_positions=torch.zeros(n, 1, 1),
                token_valid=torch.ones(n, 1, dtype=torch.bool),
                level_shapes=[(1, 1)],
                valid_ratios_xy=torch.ones(n, 1, 2),
            )
        ]

    def encode_expression(self, tokens: TextTokens) -> ExpressionFeatures:
        asked = torch.zeros(1, 3, 1)
        asked[:, [int(i) for i in tokens.input_ids[0] if i < 3]] = 1
        return ExpressionFeatures(
            asked, asked, torch.ones(1, 3, dtype=torch.bool), torch.ones(1, 3, 3, dtype=torch.bool)
        )

    def ground_frames(self, image: ImageFeatures, expression: ExpressionFeatures) -> GroundedFrames:
        frames = image.stage0
        padded = F.pad(frames, (0, -frames.shape[3] % 4, 0, -frames.shape[2] % 4), mode="replicate")
        # ImageNet-normalised: a pure colour is above 2 in its channel and below -1.7 in the others.
        others = torch.stack([padded.roll(-1, 1), padded.roll(-2, 1)]).amax(0)
        pure = F.avg_pool2d(((padded > 1.5) & (others < -1)).float(), 4)
        seen = pure.flatten(2).amax(2, keepdim=True) > 0.5
        text = ReferenceText(
            expression.features.expand(len(frames), -1, -1),
            torch.ones(len(frames), 3, dtype=torch.bool),
        )
        boxes = torch.tensor([0.5, 0.5, 0.5, 0.25]).expand(len(frames), 3, 4)
        return GroundedFrames(
            FrameQueries(seen.float(), boxes, text),
            FramePixels(pure, torch.ones_like(pure[:, 0]) > 0),
        )

    def align_queries(
        self, queries: FrameQueries, memory: TrackMemory | None = None
    ) -> AlignedQueries:
        return AlignedQueries(queries, None)

    def enhance_queries(
        self, queries: FrameQueries, expression: ExpressionFeatures
    ) -> EnhancedQueries:
        self.window_lengths.append(len(queries))
        found = (queries.features > 0) & (queries.text.features > 0)
        return EnhancedQueries(
            queries, torch.where(found, 4.0, -4.0), queries.reference_boxes_cxcywh
        )

    def decode_masks(
        self, queries: FrameQueries, pixels: FramePixels, frame_size: tuple[int, int]
    ) -> Tensor:
        height, width = frame_size
        assert pixels.features.shape[2:] == (-(-height // 4), -(-width // 4))
        return 10 * (pixels.features - 0.5)


@pytest.fixture
def colour_model() -> ColourModel:
    return ColourModel()


@pytest.fixture
def moving_square() -> Callable[..., np.ndarray]:
    """Make ``[T, H, W, 3]``: a red square that moves right on grey; green appears in frame 2."""

    def make(num_frames: int = 4, height: int = 64, width: int = 96) -> np.ndarray:
        frames = np.full((num_frames, height, width, 3), 128, np.uint8)
        side = height // 2
        for index in range(num_frames):
            frames[index, 8 : 8 + side, 8 * index : 8 * index + side] = (255, 0, 0)
            if index == 2:
                frames[index, -16:, -24:] = (0, 255, 0)
        return frames

    return make


@pytest.fixture
def write_video(tmp_path: Path) -> Callable[..., Path]:
    """Encode frames with their timestamps."""

    def write(
        name: str,
        frames: np.ndarray,
        timestamps: Sequence[int] | None = None,
        time_base: Fraction = Fraction(1, 10),
        codec: str = "libx264",
        pixel_format: str = "yuv420p",
        source_format: str = "rgb24",
    ) -> Path:
        path = tmp_path / name
        height, width = frames.shape[1:3]
        timestamps = range(len(frames)) if timestamps is None else timestamps
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=10)
            stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
            stream.codec_context.time_base = time_base
            if codec == "libx264":
                stream.options = {"crf": "1"}
            for image, pts in zip(frames, timestamps, strict=True):
                frame = av.VideoFrame.from_ndarray(image, format=source_format)
                frame.pts, frame.time_base = pts, time_base
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write
