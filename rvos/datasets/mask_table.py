"""Run-length masks of a whole data set in three arrays.

A dictionary of a million small Python objects is copied page by page into every worker, because
reading a Python object writes its reference count; arrays are shared.
"""

from array import array
from collections.abc import Iterable, Sequence

import numpy as np

from rvos.datasets.files import JSONObject
from rvos.ops.rle import RunLengthMask


class MaskTable:
    """Masks by track and frame.

    Args:
        masks: Track ids, each with one entry per frame: ``{"size": [H, W], "counts": str}`` or None
            where the object is absent. Tracks are packed one by one, so that an iterator need not
            hold them all.

    Raises:
        KeyError: If an entry lacks ``size`` or ``counts``.
        TypeError: If an entry is neither an object nor null.
        ValueError: If a size is not a pair of numbers.

    >>> table = MaskTable([("7", [{"size": [2, 3], "counts": "6"}, None])])
    >>> table.mask("7", 0), table.mask("7", 1), table.num_frames("7")
    (RunLengthMask(height=2, width=3, counts=b'6'), None, 2)
    """

    def __init__(self, masks: Iterable[tuple[str, Sequence[JSONObject | None]]]) -> None:
        sizes, lengths, counts = array("i"), array("q", [0]), bytearray()
        self._first: dict[str, tuple[int, int]] = {}
        for track_id, entries in masks:
            self._first[str(track_id)] = (len(sizes) // 2, len(entries))
            for entry in entries:
                height, width = (0, 0) if entry is None else entry["size"]
                sizes.extend((int(height), int(width)))
                text = b"" if entry is None else str(entry["counts"]).encode("ascii")
                lengths.append(len(text))
                counts += text
        self._sizes = np.array(sizes, dtype=np.int32).reshape(-1, 2)
        self._ends = np.cumsum(lengths, dtype=np.int64)
        self._counts = np.frombuffer(bytes(counts), dtype=np.uint8)

    def __contains__(self, track_id: object) -> bool:
        """Whether the track is listed."""
        return track_id in self._first

    def num_frames(self, track_id: str) -> int:
        """Number of frames of a track.

        Args:
            track_id: The track.

        Returns:
            The number.
        """
        return self._first[track_id][1]

    def mask(self, track_id: str, frame: int) -> RunLengthMask | None:
        """One mask.

        Args:
            track_id: The track.
            frame: Index of the frame in the video's frame list.

        Returns:
            The mask; None where the object is absent.
        """
        position = self._first[track_id][0] + frame
        height, width = self._sizes[position].tolist()
        if height == 0:
            return None
        text = self._counts[self._ends[position] : self._ends[position + 1]].tobytes()
        return RunLengthMask(height, width, text)
