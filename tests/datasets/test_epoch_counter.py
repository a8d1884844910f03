import pytest
from torch.utils.data import DataLoader, Dataset

from rvos.datasets.epoch_counter import EpochCounter


class Epochs(EpochCounter, Dataset[int]):
    """Each sample is the epoch it is read in."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> int:
        return self.epoch


@pytest.mark.parametrize("num_workers", [0, 2])
def test_workers_that_outlive_an_epoch_see_it_change(num_workers: int) -> None:
    dataset = Epochs()
    loader = DataLoader(
        dataset, batch_size=2, num_workers=num_workers, persistent_workers=num_workers > 0
    )
    for epoch in (0, 5):
        dataset.set_epoch(epoch)
        assert [batch.tolist() for batch in loader] == [[epoch, epoch]]
