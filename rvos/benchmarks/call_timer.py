"""Where the loading of clips spends its time."""

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any


class CallTimer:
    """Adds up the time inside some methods of one object; use as a context manager.

    Args:
        target: The object.
        methods: Names of methods that do not call each other.

    Attributes:
        seconds: Method to the time so far, every method from the start.

    >>> class Reader:
    ...     def read(self) -> int:
    ...         return 3
    >>> reader = Reader()
    >>> with CallTimer(reader, ["read"]) as timer:
    ...     value = reader.read()
    >>> value, timer.seconds["read"] > 0, reader.read.__name__
    (3, True, 'read')
    """

    def __init__(self, target: object, methods: Sequence[str]) -> None:
        self.target = target
        self.seconds = dict.fromkeys(methods, 0.0)

    def __enter__(self) -> "CallTimer":
        """Put a timed method before each one."""
        for name in self.seconds:
            setattr(self.target, name, self._timed(name, getattr(self.target, name)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take them away again."""
        for name in self.seconds:
            delattr(self.target, name)

    def _timed(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return method(*arguments, **options)
            finally:
                self.seconds[name] += time.perf_counter() - start

        return call
