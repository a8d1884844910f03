"""Many texts in two arrays, which workers share; see :mod:`rvos.datasets.mask_table`."""

from collections.abc import Iterable

import numpy as np


class TextTable:
    """A list of texts that holds no Python object per text.

    Args:
        texts: The texts.

    >>> table = TextTable(["a dog", "", "the lamp left of it"])
    >>> len(table), table[0], table[1], table[-1]
    (3, 'a dog', '', 'the lamp left of it')
    """

    def __init__(self, texts: Iterable[str]) -> None:
        encoded = [text.encode("utf-8") for text in texts]
        self._ends = np.cumsum([0, *(len(text) for text in encoded)], dtype=np.int64)
        self._bytes = np.frombuffer(b"".join(encoded), dtype=np.uint8)

    def __len__(self) -> int:
        """Number of texts."""
        return len(self._ends) - 1

    def __getitem__(self, index: int) -> str:
        """One text.

        Args:
            index: Its position; negative counts from the end.

        Returns:
            The text.

        Raises:
            IndexError: Beyond the last text.
        """
        if not -len(self) <= index < len(self):
            message = f"text {index} of {len(self)}"
            raise IndexError(message)
        position = index % len(self)
        text: bytes = self._bytes[self._ends[position] : self._ends[position + 1]].tobytes()
        return text.decode("utf-8")
