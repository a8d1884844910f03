"""Half precision on the bundled weights and the held-out videos.

A few videos by default, where one changed selection may move J&F by its share. All 150, on which
the bounds hold as they are:
`RVOS_PRECISION_VIDEOS=150 pytest -m slow -s tests/parity/test_precision.py`.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import rvos
from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.moving_shapes.preset import HELD_OUT_SEED
from rvos.datasets.moving_shapes.writer import write_moving_shapes
from rvos.inference.selection import (
    ThresholdUnion,
    TopOne,
    TrackSelection,
    resize_mask_logits,
    track_scores,
    union_of_masks,
)
from rvos.metrics import JAndF
from rvos.structures import SegmentationOutput, VideoSample

pytestmark = [pytest.mark.parity, pytest.mark.slow]

NUM_VIDEOS = int(os.environ.get("RVOS_PRECISION_VIDEOS", "6"))
ALL_VIDEOS = 150
HELD_OUT_RULE = ThresholdUnion(0.3)


@dataclass
class Comparison:
    """Half against single precision over many expressions.

    Attributes:
        single: J&F of float32.
        half: J&F of the half precision.
        overlaps: IoU of the best tracks' masks over the whole video, one per expression.
        num_other_index: How often the best track has another number, whatever it shows.
        margins: How much better float32's best track scores than the best one of another object.
        noise: Change of the best score.
    """

    single: JAndF = field(default_factory=JAndF)
    half: JAndF = field(default_factory=JAndF)
    overlaps: list[float] = field(default_factory=list)
    num_other_index: int = 0
    margins: list[float] = field(default_factory=list)
    noise: list[float] = field(default_factory=list)

    def add(self, sample: VideoSample, outputs: list[SegmentationOutput]) -> None:
        target = sample.targets.masks[sample.targets.referred].any(dim=0)
        for metric, output in zip((self.single, self.half), outputs, strict=True):
            masks = masks_of(output, HELD_OUT_RULE, sample)
            metric.update([masks], [target], [sample.sample_id], [sample.expression_kind])
        ours, theirs = (masks_of(output, TopOne(), sample) for output in outputs)
        self.overlaps.append(float(overlap(ours, theirs)))
        scores, half_scores = (track_scores(each.pred_logits[0].float().cpu()) for each in outputs)
        self.num_other_index += int(scores.argmax() != half_scores.argmax())
        self.noise.append(abs(float(scores.max() - half_scores.max())))
        tracks = outputs[0].pred_masks[0].cpu().transpose(0, 1) > 0
        others = torch.stack([overlap(each, tracks[scores.argmax()]) <= 0.5 for each in tracks])
        runner_up = float(scores[others].max()) if bool(others.any()) else 0.0
        self.margins.append(float(scores.max()) - runner_up)


def overlap(ours: Tensor, theirs: Tensor) -> Tensor:
    """IoU of two masks over the whole video; 1 where both are empty."""
    union = (ours | theirs).sum()
    return torch.where(union > 0, (ours & theirs).sum() / union, 1.0)


def masks_of(output: SegmentationOutput, selection: TrackSelection, sample: VideoSample) -> Tensor:
    chosen = selection(output.pred_logits[0].float())
    logits = output.pred_masks[0, :, chosen].float().cpu()
    size = (sample.frames.shape[-2], sample.frames.shape[-1])
    return union_of_masks(resize_mask_logits(logits, size, sample.original_size).transpose(0, 1))


@torch.inference_mode()
def compare(root: Path, device: str, dtype: torch.dtype) -> Comparison:
    model = rvos.load_model("tiny", device=device)
    write_moving_shapes(root, split="test", num_videos=NUM_VIDEOS, seed=HELD_OUT_SEED)
    samples = MeViSDataset(root, "test", targets="all_tracks")
    result = Comparison()
    encoded = ""
    for index in range(len(samples)):
        sample = samples[index]
        frames = sample.frames.unsqueeze(0).to(device)
        size = (frames.shape[-2], frames.shape[-1])
        tokens = model.tokenize([sample.expression])
        if sample.video_id != encoded:
            single = model.encode_frames(frames)
            with torch.autocast(device, dtype=dtype):
                half = model.encode_frames(frames)
            encoded = sample.video_id
        outputs = [model.segment_features(single, tokens, size)]
        with torch.autocast(device, dtype=dtype):
            outputs.append(model.segment_features(half, tokens, size))
        result.add(sample, outputs)
    return result


def check(result: Comparison, name: str, deviations: Any) -> None:
    num_expressions = len(result.overlaps)
    case = f"tiny in {name}, {num_expressions} expressions"
    scores = [100 * float(each.compute().overall.j_and_f) for each in (result.single, result.half)]
    # The order of queries depends on the last bits; which object a track follows does not. So a
    # selection counts as changed where its mask is another one, and as kept under another number.
    overlaps = torch.tensor(result.overlaps)
    same = overlaps > 0.5
    changed = int((~same).sum())
    mean_overlap = float(overlaps[same].mean())
    points = abs(scores[1] - scores[0])
    margins, noise = torch.tensor(result.margins), torch.tensor(result.noise)
    deviations.note(case, "J&F of float32", f"{scores[0]:.2f}", "")
    allowed = 0.3 + (100 * changed / num_expressions if NUM_VIDEOS < ALL_VIDEOS else 0.0)
    deviations.note(case, "J&F, points from float32", f"{points:.2f}", f"{allowed:.2g}")
    deviations.note(case, "mean IoU of the same tracks", f"{mean_overlap:.4f}", "0.98")
    deviations.note(case, "changed selections", f"{changed}", "2 %, or one")
    deviations.note(case, "changed numbers of the best track", f"{result.num_other_index}", "any")
    deviations.note(case, "change of the best score, median", f"{noise.median():.4f}", "any")
    for title, kept in (("kept", same), ("changed", ~same)):
        if bool(kept.any()):
            margin = f"{margins[kept].median():.4f}"
            deviations.note(case, f"margin of {title} selections, median", margin, "any")
    assert mean_overlap >= 0.98
    assert changed <= max(1, 0.02 * num_expressions)
    assert points <= allowed


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="the bundled weights are undecided between look-alikes: near-equal ranks flip in bf16 "
    "(docs/benchmarks.md)",
)
def test_bfloat16_on_the_cpu(tmp_path: Path, deviations: Any) -> None:
    check(compare(tmp_path, "cpu", torch.bfloat16), "bfloat16", deviations)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_on_the_gpu(dtype: torch.dtype, tmp_path: Path, deviations: Any) -> None:
    name = f"{str(dtype).removeprefix('torch.')} on a GPU"
    check(compare(tmp_path, "cuda", dtype), name, deviations)
