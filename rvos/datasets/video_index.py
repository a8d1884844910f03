"""What a referring data set knows before it opens a single frame."""

import sys
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int

from rvos.datasets.errors import MalformedAnnotationError, UnknownObjectError
from rvos.datasets.files import JSONObject, annotation_layout, read_json
from rvos.datasets.safe_names import check_name


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression of a video.

    Attributes:
        expression_id: Its id within the video.
        text: Lower case, white space collapsed.
        kind: ``appearance``, ``relation``, ... where the data set knows, else ``""``.
        track_ids: The tracks it refers to; none for an expression without target.
        annotated_frames: Indices of the frames whose masks exist for it, in order; None = all.

    >>> Expression("0", "a dog", "appearance", ("1",)).text
    'a dog'
    """

    expression_id: str
    text: str
    kind: str
    track_ids: tuple[str, ...]
    annotated_frames: tuple[int, ...] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Video:
    """One video.

    Attributes:
        video_id: Its name.
        frame_ids: Names of its frames, in order.
        track_ids: Every annotated track.
        expressions: Its expressions, in the order of their ids.

    >>> len(Video("aa", ("00000", "00005"), (), ()).frame_ids)
    2
    """

    video_id: str
    frame_ids: tuple[str, ...]
    track_ids: tuple[str, ...]
    expressions: tuple[Expression, ...]


_LONGEST_NUMBER = 1000


def clean_expression(text: str) -> str:
    """Lower the case and collapse white space, as every data set of the field does.

    Args:
        text: The expression as annotated.

    Returns:
        The cleaned expression.

    Raises:
        UnicodeEncodeError: Half a character, as JSON can hold, is no text; it is a ``ValueError``.

    >>> clean_expression(" A person  on the Left ")
    'a person on the left'
    """
    text.encode("utf-8")
    return " ".join(text.lower().split())


def id_order(identifier: str) -> tuple[int, int, str]:
    """Sort key of ids: numbers by value, names after them by spelling.

    Args:
        identifier: An id.

    Returns:
        The key.

    >>> sorted(["10", "b", "9"], key=id_order)
    ['9', '10', 'b']
    """
    # Python makes no number of thousands of digits.
    if identifier.isascii() and identifier.isdigit() and len(identifier) <= _LONGEST_NUMBER:
        return (0, int(identifier), identifier)
    return (1, 0, identifier)


def id_list(value: object) -> tuple[str, ...]:
    """Ids as text, from a single id, a list, or nothing (a release mixes numbers and text).

    Args:
        value: What the annotation file holds.

    Returns:
        The ids, in the file's order, without repeats.

    >>> id_list([3, "3", 1]), id_list("2"), id_list(None)
    (('3', '1'), ('2',), ())
    """
    if value is None or value == "":
        return ()
    values = value if isinstance(value, list | tuple | dict) else [value]
    return tuple(dict.fromkeys(str(item) for item in values))


def read_video_entries(path: Path, benchmark: str) -> JSONObject:
    """Read the ``videos`` entry of an annotation file.

    Args:
        path: The file.
        benchmark: Named in the error if the file is missing.

    Returns:
        Entry per video.

    Raises:
        DatasetNotFoundError: Without the file.
        MalformedAnnotationError: If it has no videos.
    """
    content = read_json(path, benchmark)
    with annotation_layout(path):
        videos = dict(content["videos"])
    if not videos:
        raise MalformedAnnotationError(path, "it lists no video")
    return videos


def parse_frames(frames: Iterable[object], path: Path) -> tuple[str, ...]:
    """Read the ``frames`` entry of a video.

    Args:
        frames: Their names.
        path: The annotation file, for errors.

    Returns:
        The names; those that videos share are held once.

    Raises:
        UnsafeNameError: If one is no plain file name.
        TypeError: If one is neither text nor a whole number.

    >>> parse_frames(["00000", "00005"], Path("meta_expressions.json"))
    ('00000', '00005')
    """
    return tuple(sys.intern(check_name(frame_name(frame), path)) for frame in frames)


def check_frames(video: Video, path: Path) -> Video:
    """Refuse a video of which no clip can be made.

    Args:
        video: The video.
        path: The annotation file, for errors.

    Returns:
        The video.

    Raises:
        MalformedAnnotationError: If it has no frames, or one is listed twice.

    >>> check_frames(Video("a", ("0", "1"), (), ()), Path("meta.json")).video_id
    'a'
    """
    if not video.frame_ids:
        raise MalformedAnnotationError(path, f"video {video.video_id} lists no frame")
    if len(set(video.frame_ids)) < len(video.frame_ids):
        reason = f"video {video.video_id} lists a frame twice"
        raise MalformedAnnotationError(path, reason)
    return video


def frame_name(frame: object) -> str:
    """Take the name of a frame, which some files hold as a number.

    Args:
        frame: The entry.

    Returns:
        The name.

    Raises:
        TypeError: If it is neither text nor a whole number.

    >>> frame_name(12)
    '12'
    """
    if isinstance(frame, bool) or not isinstance(frame, str | int):
        message = f"a frame is named by a {type(frame).__name__}"
        raise TypeError(message)
    return str(frame)


def parse_expressions(entries: JSONObject, target_key: str, path: Path) -> tuple[Expression, ...]:
    """Read the ``expressions`` entry of a video.

    Args:
        entries: Per expression id an object with ``exp`` and perhaps ``kind`` and the targets.
        target_key: Entry that names the targets: ``obj_id`` or ``anno_id``.
        path: The annotation file, for errors.

    Returns:
        The expressions, in the order of their ids.

    Raises:
        UnsafeNameError: If an id is no plain file name, as which predictions are written.

    >>> parse_expressions({"0": {"exp": "A dog", "anno_id": [4]}}, "anno_id", Path("meta.json"))
    (Expression(expression_id='0', text='a dog', kind='', track_ids=('4',)),)
    """
    return tuple(
        Expression(
            expression_id=sys.intern(check_name(expression_id, path)),
            text=clean_expression(entries[expression_id]["exp"]),
            kind=str(entries[expression_id].get("kind", "")),
            track_ids=id_list(entries[expression_id].get(target_key)),
        )
        for expression_id in sorted(entries, key=id_order)
    )


def find_unknown_objects(
    video: Video, known: Container[str], path: Path, known_in: Path
) -> Iterator[UnknownObjectError]:
    """Look for expressions that refer to objects that are not annotated.

    Args:
        video: The video.
        known: The annotated objects.
        path: File of the expressions.
        known_in: File of the objects.

    Yields:
        The error to raise or to note, one per expression and object.
    """
    for expression in video.expressions:
        for track_id in expression.track_ids:
            if track_id not in known:
                number = expression.expression_id
                yield UnknownObjectError(path, video.video_id, number, track_id, known_in)


def select_videos(
    videos: Sequence[Video], kinds: Sequence[str] | None = None, max_videos: int | None = None
) -> list[Video]:
    """Keep expressions of some kinds, then the first videos that have any.

    Args:
        videos: All videos.
        kinds: Kinds to keep; None keeps every expression.
        max_videos: Number of videos to keep; None keeps all.

    Returns:
        The videos, in their order.

    >>> video = Video("v", ("0",), (), (Expression("0", "a dog", "appearance", ()),))
    >>> len(select_videos([video, video], max_videos=1)), select_videos([video], kinds=["motion"])
    (1, [])
    """
    kept = []
    for video in videos:
        expressions = tuple(e for e in video.expressions if kinds is None or e.kind in kinds)
        if expressions:
            kept.append(replace(video, expressions=expressions))
    return kept[:max_videos]


def index_samples(videos: Sequence[Video], sampling_step: int | None) -> Int[np.ndarray, "n 3"]:
    """List the samples of an epoch.

    Args:
        videos: The videos.
        sampling_step: One sample per expression and anchor, anchors this many frames apart; None
            for one sample per expression. Where only some frames are annotated, they are the
            anchors.

    Returns:
        ``[N, 3]``: position of the video, position of its expression, anchor frame. Samples of one
        video lie side by side, and of those with annotated frames the ones of one frame.

    >>> expressions = (Expression("0", "a dog", "", ()),)
    >>> index_samples([Video("v", ("0", "1", "2"), (), expressions)], 2).tolist()
    [[0, 0, 0], [0, 0, 2]]
    """
    rows = [
        row
        for video_position, video in enumerate(videos)
        for row in _video_samples(video_position, video, sampling_step)
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def _video_samples(
    position: int, video: Video, sampling_step: int | None
) -> list[tuple[int, int, int]]:
    every_step = range(0, len(video.frame_ids), sampling_step or len(video.frame_ids))
    rows, single_frames = [], False
    for number, expression in enumerate(video.expressions):
        anchors: Sequence[int] = every_step
        if expression.annotated_frames is not None:
            anchors, single_frames = expression.annotated_frames, True
        rows += [(position, number, anchor) for anchor in anchors]
    # Expressions of one frame side by side, so that it is decoded once.
    return sorted(rows, key=lambda row: row[2]) if single_frames else rows
