"""Scores beside their baselines: what understands beats what guesses, and nothing else does."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from rvos.datasets.mevis import MeViSDataset
from rvos.evaluation.held_out import HeldOutScores, score_held_out
from rvos.inference.selection import ThresholdUnion, TopOne
from rvos.structures import ImageFeatures, SegmentationOutput, TextTokens

TOP_ONE = {"top1": TopOne()}


class KnowingModel:
    """Knows the masks of every (video, expression) pair; anything else it finds nowhere.

    Query 0 holds the answer, query 1 everything.
    """

    def __init__(self, samples: MeViSDataset, listens: bool = True) -> None:
        self.listens = listens
        self.num_encoded = 0
        self.answers: dict[tuple[float, str], Tensor] = {}
        for sample in (samples[index] for index in range(len(samples))):
            target = sample.targets.masks[sample.targets.referred].any(dim=0)
            small = F.interpolate(target[:, None].float(), scale_factor=0.25, mode="area")[:, 0]
            key = (float(sample.frames.sum()), sample.expression if listens else "")
            self.answers.setdefault(key, small * 20 - 10)

    def tokenize(self, text: list[str]) -> TextTokens:
        self.asked = text[0] if self.listens else ""
        return TextTokens(torch.ones(1, 2).long(), torch.ones(1, 2).long())

    def encode_frames(self, frames: Tensor) -> list[ImageFeatures]:
        self.num_encoded += 1
        self.seen = frames
        return []

    def segment_features(
        self, image: list[ImageFeatures], tokens: TextTokens, frame_size: tuple[int, int]
    ) -> SegmentationOutput:
        del image, tokens
        num_frames, size = self.seen.shape[1], [side // 4 for side in frame_size]
        nothing = torch.full((num_frames, *size), -10.0)
        answer = self.answers.get((float(self.seen.sum()), self.asked), nothing)
        masks = torch.stack([answer, torch.full_like(answer, 10.0)], dim=1)[None]
        logits = torch.tensor([2.0, -2.0]).expand(1, num_frames, 2)[..., None]
        return SegmentationOutput(logits, masks[..., 0, :4], masks)


@pytest.fixture(scope="module")
def knowing(short_videos: MeViSDataset) -> HeldOutScores:
    return score_held_out(KnowingModel(short_videos), short_videos, TOP_ONE)


def test_what_understands_comes_close_to_the_oracle(knowing: HeldOutScores) -> None:
    assert knowing.model["top1"].overall.j_and_f > 0.85
    assert knowing.oracle.overall.j_and_f >= knowing.model["top1"].overall.j_and_f


def test_every_kind_with_a_target_counts_as_learned(knowing: HeldOutScores) -> None:
    kinds = set(knowing.model["top1"].per_kind) - {"none"}
    assert len(kinds) > 2
    assert {kind for kind in kinds if not knowing.is_learned(kind, "top1")} == set()


def test_what_does_not_listen_scores_the_same_when_shuffled(short_videos: MeViSDataset) -> None:
    scores = score_held_out(KnowingModel(short_videos, listens=False), short_videos, TOP_ONE)
    assert scores.model["top1"] == scores.shuffled["top1"]
    assert [k for k in scores.model["top1"].per_kind if scores.is_learned(k, "top1")] == []


def test_baselines_do_not_depend_on_the_model(
    knowing: HeldOutScores, short_videos: MeViSDataset
) -> None:
    deaf = score_held_out(KnowingModel(short_videos, listens=False), short_videos, TOP_ONE)
    assert (deaf.oracle, deaf.largest) == (knowing.oracle, knowing.largest)


def test_selections_are_scored_on_the_same_outputs(short_videos: MeViSDataset) -> None:
    selections = {"top1": TopOne(), "strict": ThresholdUnion(0.5), "lax": ThresholdUnion(0.05)}
    model = KnowingModel(short_videos)
    scores = score_held_out(model, short_videos, selections, shuffle=False)
    assert scores.model["strict"] == scores.model["top1"]
    # The lax rule takes query 1, too, which covers everything.
    assert scores.model["lax"].overall.j < 0.2
    assert model.num_encoded == len(short_videos.videos)


def test_without_shuffling_there_is_no_verdict(short_videos: MeViSDataset) -> None:
    scores = score_held_out(KnowingModel(short_videos), short_videos, TOP_ONE, shuffle=False)
    assert list(scores.columns("top1")) == ["oracle", "largest"]
    assert scores.is_learned("appearance", "top1") is None


def test_columns_stand_in_the_order_of_the_table(knowing: HeldOutScores) -> None:
    assert list(knowing.columns("top1")) == ["oracle", "shuffled", "largest"]
