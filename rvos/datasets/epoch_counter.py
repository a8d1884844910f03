"""The epoch that a data set's random draws belong to, seen by every worker."""

import torch


class EpochCounter:
    """Lets a data set know the epoch; to be inherited beside ``Dataset``.

    >>> counter = EpochCounter()
    >>> counter.set_epoch(3)
    >>> counter.epoch
    3
    """

    def __init__(self) -> None:
        super().__init__()
        # In shared memory, so that workers that outlive an epoch see it change.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    @property
    def epoch(self) -> int:
        """The epoch that the random draws belong to."""
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, before iterating; workers that are already running see it too.

        Args:
            epoch: Its number.
        """
        self._epoch.fill_(epoch)
