"""A few numbers of every rank, gathered without anybody waiting."""

import time

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor

_POLL_S = 0.01


class RankGather:
    """Gathers a row of numbers per rank in the background.

    The exchange is started where all ranks pass at the same step, and looked at in later steps;
    nobody ever waits for one who does not come, so it cannot deadlock. With one process the row is
    there at once.

    Args:
        device: Where the process group exchanges tensors.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._rows: list[Tensor] = []
        self._work: dist.Work | None = None

    def start(self, values: list[float]) -> None:
        """Hand in this rank's row; what was gathered before and not taken is lost.

        Args:
            values: Equally many on each rank.
        """
        row = torch.tensor(values, dtype=torch.float32, device=self._device)
        if not (dist.is_available() and dist.is_initialized()):
            self._rows, self._work = [row], None
            return
        self._rows = [torch.empty_like(row) for _ in range(dist.get_world_size())]
        self._work = dist.all_gather(self._rows, row, async_op=True)

    def take(self, patience_s: float = 0.0) -> Float[Tensor, "r n"] | None:
        """Take what has been gathered, if all ranks have handed in.

        Args:
            patience_s: Seconds to wait for it at most.

        Returns:
            ``[R, N]`` on the CPU, a row per rank; None while somebody's is missing.
        """
        end = time.monotonic() + patience_s
        while self._work is not None and not self._work.is_completed():
            if time.monotonic() >= end:
                return None
            time.sleep(_POLL_S)
        if not self._rows:
            return None
        rows = torch.stack(self._rows).cpu()
        self._rows, self._work = [], None
        return rows
