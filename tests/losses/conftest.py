"""Random predictions and targets, and the golden values of the released criterion."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from rvos.ops.boxes import box_xyxy_to_cxcywh, masks_to_boxes_xyxy
from rvos.structures import (
    AuxiliarySegmentationOutput,
    ClipTargets,
    ProposalOutput,
    SegmentationOutput,
)

LEVEL_SHAPES = [(4, 6), (2, 3)]


@pytest.fixture
def make_targets() -> Callable[..., ClipTargets]:
    """Build one clip of rectangles; every track is absent from one frame where T > 1."""

    def make(
        num_tracks: int, referred: list[bool], seed: int = 0, num_frames: int = 3
    ) -> ClipTargets:
        generator = torch.Generator().manual_seed(seed)
        masks = torch.zeros(num_tracks, num_frames, 32, 48, dtype=torch.bool)
        present = torch.ones(num_tracks, num_frames, dtype=torch.bool)
        for track in range(num_tracks):
            for frame in range(num_frames):
                top, left = torch.randint(0, 16, (2,), generator=generator).tolist()
                masks[track, frame, top : top + 14, left : left + 18] = True
            if num_frames > 1:
                present[track, (seed + track) % num_frames] = False
        masks &= present[..., None, None]
        boxes = box_xyxy_to_cxcywh(masks_to_boxes_xyxy(masks)) / torch.tensor([48, 32, 48, 32])
        return ClipTargets(boxes, masks, present, torch.tensor(referred, dtype=torch.bool))

    return make


@pytest.fixture
def make_output() -> Callable[..., AuxiliarySegmentationOutput]:
    """Build random predictions of two layers and of proposals."""

    def make(
        num_clips: int, seed: int = 0, num_frames: int = 3, num_queries: int = 5
    ) -> AuxiliarySegmentationOutput:
        generator = torch.Generator().manual_seed(seed)

        def triple(queries: int) -> tuple[Tensor, Tensor, Tensor]:
            leading = (num_clips, num_frames, queries)
            return (
                torch.randn(*leading, 1, generator=generator).requires_grad_(),
                (torch.rand(*leading, 4, generator=generator) * 0.5 + 0.1).requires_grad_(),
                (torch.randn(*leading, 8, 12, generator=generator) * 3).requires_grad_(),
            )

        tokens = torch.randn(num_clips, num_frames, 30, 3, generator=generator)
        tokens[:, :, ::7] = -torch.inf
        last, earlier, proposals = triple(num_queries), triple(num_queries + 2), triple(9)
        return AuxiliarySegmentationOutput(
            *last,
            aux_outputs=[SegmentationOutput(*earlier)],
            proposal_output=ProposalOutput(*proposals, proposal_boxes=triple(9)[1].detach()),
            query_word_logits=[],
            word_logits=tokens.requires_grad_(),
            level_shapes=LEVEL_SHAPES,
        )

    return make


@pytest.fixture
def valid_pixels() -> Tensor:
    """Two clips of three frames; the second is padded on the right and at the bottom."""
    valid = torch.ones(2, 3, 32, 48, dtype=torch.bool)
    valid[1, :, 28:], valid[1, :, :, 40:] = False, False
    return valid


@pytest.fixture(scope="session")
def golden() -> dict[str, Tensor]:
    """Values of the released implementation, see data/README.md."""
    stored = load_file(Path(__file__).parent / "data" / "released_losses.safetensors")
    return {
        name: value.float() if value.dtype == torch.float16 else value
        for name, value in stored.items()
    }


@pytest.fixture(scope="session")
def golden_targets(golden: dict[str, Tensor]) -> list[ClipTargets]:
    """Read the two clips' targets."""
    clips = []
    for index in range(2):
        packed = golden[f"target{index}.masks_packed"].numpy()
        masks = torch.from_numpy(np.unpackbits(packed, axis=-1).astype(bool))
        clips.append(
            ClipTargets(
                golden[f"target{index}.boxes"][None],
                masks[None],
                golden[f"target{index}.valid"][None].bool(),
                torch.ones(1, dtype=torch.bool),
            )
        )
    return clips


@pytest.fixture(scope="session")
def golden_valid_pixels(golden: dict[str, Tensor]) -> Tensor:
    """Mark the unpadded part of the two clips."""
    valid = torch.zeros(2, 3, 224, 352, dtype=torch.bool)
    for index in range(2):
        height, width = golden[f"target{index}.size"].tolist()
        valid[index, :, :height, :width] = True
    return valid
