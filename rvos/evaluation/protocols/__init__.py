"""How each benchmark is scored; one protocol per file, found by the benchmark's name.

Protocols are imported when they are asked for, so that each needs only its own libraries.
"""

import difflib
import importlib

from rvos.evaluation.protocols.base import (
    GalleryCase,
    Gap,
    Measure,
    ProtocolError,
    ProtocolStep,
    ScoreRow,
    ScoreTable,
    ScoringProtocol,
    VideoResult,
)

# Benchmark -> (module below this package, class); one line per benchmark.
_TABLE = {
    "ref_youtube_vos": ("ref_youtube_vos", "RefYouTubeVOSProtocol"),
    "mevis": ("mevis", "MeViSProtocol"),
    "ref_davis17": ("ref_davis17", "RefDAVIS17Protocol"),
    "a2d_sentences": ("a2d", "A2DSentencesProtocol"),
    "jhmdb_sentences": ("jhmdb", "JHMDBSentencesProtocol"),
    "refcoco": ("refcoco", "RefCOCOProtocol"),
    "refcoco+": ("refcoco", "RefCOCOPlusProtocol"),
    "refcocog": ("refcoco", "RefCOCOgProtocol"),
}
BENCHMARKS = tuple(_TABLE)

__all__ = [
    "BENCHMARKS",
    "GalleryCase",
    "Gap",
    "Measure",
    "ProtocolError",
    "ProtocolStep",
    "ScoreRow",
    "ScoreTable",
    "ScoringProtocol",
    "VideoResult",
    "find_protocol",
]


def find_protocol(benchmark: str) -> type[ScoringProtocol]:
    """Look a benchmark's protocol up.

    Args:
        benchmark: Its name; ``-`` and upper case are fine.

    Returns:
        The class.

    Raises:
        ProtocolError: There is none of that name.

    >>> find_protocol("MeViS").title
    'MeViS'
    """
    name = benchmark.lower().replace("-", "_")
    if name not in _TABLE:
        matches = difflib.get_close_matches(name, _TABLE, n=1)
        remedy = f"did you mean {matches[0]}?" if matches else f"choose from {', '.join(_TABLE)}"
        message = f"there is no protocol for {benchmark!r}; {remedy}"
        raise ProtocolError(message)
    module, class_name = _TABLE[name]
    protocol: type[ScoringProtocol] = getattr(
        importlib.import_module(f"rvos.evaluation.protocols.{module}"), class_name
    )
    return protocol
