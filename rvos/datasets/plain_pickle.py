"""Reading a pickle that holds plain values only, so that it cannot run code."""

import pickle
import struct
from pathlib import Path
from typing import NoReturn

from rvos.datasets.errors import DatasetNotFoundError, MalformedAnnotationError, shorten

# What a damaged or hostile stream makes the unpickler raise.
_ERRORS = (
    pickle.UnpicklingError,
    EOFError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    AssertionError,
)


def read_plain_pickle(path: Path, benchmark: str) -> object:
    """Read a pickle of numbers, text, lists, tuples, sets and dictionaries.

    Every class and function is refused, and with them all that a pickle can execute.

    Args:
        path: The file.
        benchmark: Named in the error if the file is missing.

    Returns:
        The value.

    Raises:
        DatasetNotFoundError: Without the file.
        MalformedAnnotationError: If it asks for anything but plain values, or is damaged.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "refs.p"
    >>> _ = path.write_bytes(pickle.dumps([{"ref_id": 1}]))
    >>> read_plain_pickle(path, "RefCOCO")
    [{'ref_id': 1}]
    """
    try:
        with path.open("rb") as stream:
            # The released files were written by Python 2, whose text has no encoding of its own.
            return _PlainUnpickler(stream, encoding="utf-8").load()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DatasetNotFoundError(path, benchmark) from error
    except _ERRORS as error:
        reason = f"no pickle of plain values: {shorten(error)}"
        raise MalformedAnnotationError(path, reason) from error


# The one written in Python: the other takes 34 GB for a file of ten bytes that numbers its first
# value 2 ** 31. A released file takes it seconds.
class _PlainUnpickler(pickle._Unpickler):
    def find_class(self, module: str, name: str, /) -> NoReturn:
        """Refuse every class and function."""
        message = f"it asks for {module}.{name}, which is refused because it could run code"
        raise pickle.UnpicklingError(message)
