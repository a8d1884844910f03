"""Which objects of a video have expressions of their own, for benchmarks with one target each."""

from collections.abc import Collection

from rvos.datasets.moving_shapes.records import VideoRecord


def expressions_by_object(
    record: VideoRecord, kinds: Collection[str] | None = None
) -> dict[int, list[str]]:
    """List the expressions that mean exactly one object.

    Args:
        record: The video.
        kinds: Kinds to keep; None keeps all.

    Returns:
        The expressions of each object that has any, by object id.

    >>> from rvos.datasets.moving_shapes.records import ExpressionRecord
    >>> both = ExpressionRecord("the stars", [1, 2], "several")
    >>> one = ExpressionRecord("the red star", [2], "appearance")
    >>> expressions_by_object(VideoRecord("0a", 0, ["00000"], {}, [both, one], {}))
    {2: ['the red star']}
    """
    found: dict[int, list[str]] = {}
    for item in record.expressions:
        if len(item.obj_id) == 1 and (kinds is None or item.kind in kinds):
            found.setdefault(item.obj_id[0], []).append(item.exp)
    return dict(sorted(found.items()))
