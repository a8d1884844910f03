"""How many damaged samples a training has met, each told at once."""

import sys

from rvos.datasets.checked_samples import BadSampleError


class BadSampleCounter:
    """Counts the samples of an epoch that others stand for, and stops at too many.

    Args:
        limit: The most in an epoch, for each process.

    Attributes:
        count: Those of the present epoch.

    >>> BadSampleCounter(limit=1).count
    0
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.count = 0

    def add(self, batch: object) -> None:
        """Count, and tell each on stderr, before the batch is trained on.

        Args:
            batch: A batch of any kind; those that know no bad samples have none.

        Raises:
            BadSampleError: There are more than the limit.
        """
        for bad in getattr(batch, "bad_samples", ()):
            self.count += 1
            # A line of its own, below a progress bar, too.
            sys.stderr.write(
                f"\nbad sample {self.count} of this epoch: {bad.sample_id}: {bad.reason}; another "
                "one stands for it\n"
            )
            if self.count > self.limit:
                message = (
                    f"more than {self.limit} bad samples in an epoch, the last {bad.sample_id}: "
                    f"{bad.reason}; `rvos data check` lists them all, --data.max_bad_samples "
                    "allows more"
                )
                raise BadSampleError(message)

    def restart(self) -> int:
        """Begin a new epoch.

        Returns:
            How many the last one had.
        """
        count, self.count = self.count, 0
        return count
