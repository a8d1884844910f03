import torch
from torch.utils.data import DataLoader

from rvos.datasets.clip_dataset import ClipDataset
from rvos.datasets.collate import collate_clips
from rvos.datasets.targets import clip_targets
from rvos.structures.video import VideoSample


class Numbers(ClipDataset):
    """Clips of one pixel that tell which epoch they were read in."""

    has_annotations = False

    def __len__(self) -> int:
        return 4

    def sample_id(self, index: int) -> str:
        return f"numbers/{index}"

    def read_sample(self, index: int, epoch: int) -> VideoSample:
        masks = torch.zeros(0, 1, 1, 1, dtype=torch.bool).numpy()
        targets = clip_targets(masks, torch.zeros(0, dtype=torch.bool))
        frames = torch.full((1, 3, 1, 1), float(10 * epoch + index))
        return VideoSample(self.sample_id(index), "numbers", "", "", ["0"], frames, targets, (1, 1))


def _values(loader: DataLoader[VideoSample]) -> list[float]:
    return [float(value) for batch in loader for value in batch.frames[:, 0, 0, 0, 0]]  # type: ignore[attr-defined]


def test_items_are_those_of_the_present_epoch() -> None:
    dataset = Numbers()
    assert dataset.epoch == 0
    dataset.set_epoch(3)
    assert float(dataset[2].frames[0, 0, 0, 0]) == 32.0
    assert float(dataset.read_sample(2, 1).frames[0, 0, 0, 0]) == 12.0


def test_running_workers_see_the_epoch_change() -> None:
    dataset = Numbers()
    loader = DataLoader(
        dataset, 2, collate_fn=collate_clips, num_workers=1, persistent_workers=True
    )
    assert _values(loader) == [0.0, 1.0, 2.0, 3.0]
    dataset.set_epoch(5)
    assert _values(loader) == [50.0, 51.0, 52.0, 53.0]
