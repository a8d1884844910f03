"""The most memory that a process has had since a moment."""

from pathlib import Path

import torch

from rvos.benchmarks.process_memory import MemoryUnknownError

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


class PeakMemory:
    """Watches the memory of this process, or of an accelerator, from now on.

    Args:
        device: Whose memory.

    Raises:
        MemoryUnknownError: The system tells no peak and cannot forget an old one (Linux does both).

    >>> memory = PeakMemory(torch.device("cpu"))
    >>> ballast = torch.ones(2**22)
    >>> memory.read() >= 2**24
    True
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        if device.type != "cpu":
            torch.accelerator.reset_peak_memory_stats(device)
            return
        try:
            # What loading the weights took for a moment is not what segmenting takes.
            _CLEAR.write_text(_RESET_PEAK, encoding="ascii")
        except OSError as error:
            raise MemoryUnknownError(_CLEAR) from error

    def read(self) -> int:
        """Tell the peak.

        Returns:
            Bytes: resident in the process, or allocated on the accelerator.

        Raises:
            MemoryUnknownError: The system does not tell.
        """
        if self._device.type != "cpu":
            return int(torch.accelerator.max_memory_allocated(self._device))
        for line in _STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
        raise MemoryUnknownError(_STATUS)
