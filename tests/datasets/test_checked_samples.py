import itertools

import pytest
import torch

from rvos.datasets.checked_samples import BadSampleError, BadSamplePolicy, CheckedSamples
from rvos.datasets.clip_dataset import ClipDataset
from rvos.datasets.errors import DatasetError
from rvos.structures import ClipTargets, VideoSample


class Clips(ClipDataset):
    """Tiny clips, of which some are damaged."""

    has_annotations = True

    def __init__(self, num_samples: int, *damaged: int) -> None:
        super().__init__()
        self.num_samples = num_samples
        self.damaged = damaged

    def __len__(self) -> int:
        return self.num_samples

    def sample_id(self, index: int) -> str:
        return f"video/{index}"

    def read_sample(self, index: int, epoch: int) -> VideoSample:
        if index in self.damaged:
            message = f"{index}.jpg ends early: fetch it again"
            raise DatasetError(message)
        nothing = ClipTargets(
            torch.zeros(0, 1, 4),
            torch.zeros(0, 1, 2, 2, dtype=torch.bool),
            torch.zeros(0, 1, dtype=torch.bool),
            torch.zeros(0, dtype=torch.bool),
        )
        frames = torch.full((1, 3, 2, 2), float(epoch))
        return VideoSample(
            self.sample_id(index), "video", "a cat", "", ["0"], frames, nothing, (2, 2)
        )


def _checked(clips: Clips, policy: BadSamplePolicy, seed: int = 0) -> CheckedSamples:
    return CheckedSamples(clips, policy, seed)


@pytest.mark.parametrize("policy", ["stop", "skip"])
def test_whole_samples_pass_as_they_are(policy: BadSamplePolicy) -> None:
    clips = Clips(5)
    checked = _checked(clips, policy)
    checked.set_epoch(3)
    assert clips.epoch == checked.epoch == 3
    assert [checked[index].sample_id for index in range(5)] == [f"video/{i}" for i in range(5)]
    assert float(checked[0].frames.max()) == 3
    assert checked[1].stands_for is None


def test_stop_names_sample_cause_and_remedies() -> None:
    message = r"sample video/1: 1.jpg ends early: fetch it again; --data.on_bad_sample skip goes"
    with pytest.raises(BadSampleError, match=message):
        _checked(Clips(3, 1), "stop")[1]


def test_what_stands_for_a_sample_depends_on_seed_epoch_and_sample_alone() -> None:
    clips = Clips(50, 3, 4)
    chosen = {}
    for seed, epoch, index in itertools.product((0, 1), (0, 1), (3, 4)):
        # Read before or not, in any order: workers see different samples.
        reads = []
        for before in ((), (3, 4, 7), (4, 3)):
            checked = _checked(clips, "skip", seed)
            checked.set_epoch(epoch)
            for each in before:
                checked[each]
            reads.append(checked[index])
        assert len({sample.sample_id for sample in reads}) == 1
        stands_for = reads[0].stands_for
        assert stands_for is not None
        assert stands_for.sample_id == f"video/{index}"
        assert stands_for.reason == f"{index}.jpg ends early: fetch it again"
        chosen[seed, epoch, index] = reads[0].sample_id
    assert len(set(chosen.values())) > 4


def test_another_damaged_one_is_passed_over() -> None:
    sample = _checked(Clips(2, 0), "skip")[0]
    assert sample.sample_id == "video/1"


def test_skip_stops_where_all_is_damaged() -> None:
    with pytest.raises(BadSampleError, match=r"sample video/1: .* 9 others are damaged, too"):
        _checked(Clips(3, 0, 1, 2), "skip")[1]
