"""The one JSON file of a folder of one's own videos (docs/own_data.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rvos.datasets.errors import DatasetError, MalformedAnnotationError, shorten
from rvos.datasets.files import JSONObject, read_json
from rvos.datasets.mask_table import MaskTable
from rvos.datasets.safe_names import check_name
from rvos.datasets.video_index import Expression, Video, clean_expression, id_list, id_order

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")
_NAME = "a folder of one's own videos"
_KINDS: Mapping[type[object], str] = {dict: "an object", list: "a list", str: "a text"}


class VideoFolderError(DatasetError):
    """The JSON file of one's own videos, or what it names, is not as described.

    Args:
        path: The file.
        reason: What is wrong, and where.

    >>> str(VideoFolderError(Path("train.json"), "video 'a' has no expressions"))
    "train.json: video 'a' has no expressions; docs/own_data.md describes the file"
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {shorten(reason)}; docs/own_data.md describes the file")


@dataclass(frozen=True)
class VideoFolderIndex:
    """What the file says.

    Attributes:
        videos: The videos, in the order of their ids.
        frames_folder: Holds a folder of frames per video.
        masks_folder: Holds a folder of masks per video whose masks are not in the file.
        masks: The masks in the file, by :func:`mask_key`.
        has_annotations: Whether expressions say what they refer to.
    """

    videos: list[Video]
    frames_folder: Path
    masks_folder: Path
    masks: MaskTable
    has_annotations: bool


def mask_key(video_id: str, track_id: str) -> str:
    """Name of an object among those of all videos.

    Args:
        video_id: Its video.
        track_id: Its id there.

    Returns:
        The key of the mask table.
    """
    return f"{video_id}/{track_id}"


def read_video_folder(path: Path) -> VideoFolderIndex:
    """Read the file and look for the folders that it names.

    Args:
        path: ``<root>/<split>.json``.

    Returns:
        The index.

    Raises:
        DatasetNotFoundError: Without the file.
        VideoFolderError: If the file is not as described, or a folder is missing.
    """
    try:
        content = read_json(path, _NAME)
    except MalformedAnnotationError as error:
        raise VideoFolderError(path, "not a JSON object") from error
    frames_folder = path.parent / str(content.get("frames_folder", "frames"))
    masks_folder = path.parent / str(content.get("masks_folder", "masks"))
    entries = _entry(content, "videos", dict, path, "the file")
    annotated = any("objects" in e for e in _all_expressions(entries))
    videos: list[Video] = []
    masks: dict[str, list[JSONObject | None]] = {}
    for video_id in sorted(entries, key=id_order):
        entry = _entry(entries, check_name(video_id, path), dict, path, "videos")
        where = f"video {video_id!r}"
        frame_ids = _frame_ids(entry, frames_folder / video_id, path, where)
        expressions = _expressions(entry, annotated, path, where)
        tracks = {track_id for e in expressions for track_id in e.track_ids}
        if "masks" in entry:
            track_masks = _track_masks(entry, tracks, len(frame_ids), path, where)
            masks.update({mask_key(video_id, track): m for track, m in track_masks.items()})
            tracks = set(track_masks)
        else:
            _check_mask_folder(masks_folder / video_id, tracks, path, where)
        track_ids = tuple(sorted(tracks, key=id_order))
        videos.append(Video(video_id, frame_ids, track_ids, expressions))
    try:
        table = MaskTable(masks.items())
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise VideoFolderError(path, f"a mask is no run-length encoding ({error})") from error
    return VideoFolderIndex(videos, frames_folder, masks_folder, table, annotated)


def find_image(folder: Path, frame_id: str) -> Path:
    """Find the file of a frame, whatever its kind of image.

    Args:
        folder: Folder of the video.
        frame_id: Name without ending.

    Returns:
        The path; that of a JPEG where there is none, for the error of whoever opens it.

    >>> find_image(Path("frames/a"), "00000").as_posix()
    'frames/a/00000.jpg'
    """
    candidates = [folder / f"{frame_id}{suffix}" for suffix in IMAGE_SUFFIXES]
    return next((path for path in candidates if path.is_file()), candidates[0])


def _entry(content: Mapping[str, Any], key: str, kind: type[object], path: Path, where: str) -> Any:
    value = content.get(key)
    if not isinstance(value, kind):
        wanted = _KINDS[kind]
        raise VideoFolderError(path, f"{where} needs an entry {key!r} that is {wanted}")
    return value


def _all_expressions(entries: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [
        expression
        for entry in entries.values()
        if isinstance(entry, dict)
        if isinstance(entry.get("expressions"), list)
        for expression in entry["expressions"]
        if isinstance(expression, dict)
    ]


def _frame_ids(entry: JSONObject, folder: Path, path: Path, where: str) -> tuple[str, ...]:
    if not folder.is_dir():
        raise VideoFolderError(path, f"{where} has no folder of frames {folder}")
    if "frames" in entry:
        names = [str(name) for name in _entry(entry, "frames", list, path, where)]
    else:
        files = (file for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
        names = sorted((file.name for file in files), key=lambda name: id_order(Path(name).stem))
    if not names:
        raise VideoFolderError(path, f"{where} has no frames in {folder}")
    frame_ids = tuple(_without_suffix(check_name(name, path)) for name in names)
    if len(set(frame_ids)) < len(frame_ids):
        raise VideoFolderError(path, f"{where} has two frames of one name")
    return frame_ids


def _without_suffix(name: str) -> str:
    return Path(name).stem if Path(name).suffix.lower() in IMAGE_SUFFIXES else name


def _expressions(
    entry: JSONObject, annotated: bool, path: Path, where: str
) -> tuple[Expression, ...]:
    expressions = []
    for number, item in enumerate(_entry(entry, "expressions", list, path, where)):
        place = f"expression {number} of {where}"
        if not isinstance(item, dict):
            raise VideoFolderError(path, f"{place} is no object with an entry 'expression'")
        try:
            text = clean_expression(_entry(item, "expression", str, path, place))
        except UnicodeEncodeError as error:
            raise VideoFolderError(path, f"{place} holds half a character") from error
        if not text:
            raise VideoFolderError(path, f"{place} is empty")
        if annotated and "objects" not in item:
            reason = f"{place} lacks 'objects'; an empty list stands for no target"
            raise VideoFolderError(path, reason)
        identifier = check_name(str(item.get("id", number)), path)
        tracks = id_list(item.get("objects"))
        expressions.append(Expression(identifier, text, str(item.get("kind", "")), tracks))
    if len({expression.expression_id for expression in expressions}) < len(expressions):
        raise VideoFolderError(path, f"{where} has two expressions of one 'id'")
    return tuple(expressions)


def _check_mask_folder(folder: Path, referred: set[str], path: Path, where: str) -> None:
    if referred and not folder.is_dir():
        raise VideoFolderError(path, f"{where} has no 'masks' and there is no folder {folder}")
    for track_id in referred:
        if not (track_id.isascii() and track_id.isdigit() and 0 < int(track_id) < 256):
            reason = f"{where}: object {track_id!r} is no pixel value of its masks (1 to 255)"
            raise VideoFolderError(path, reason)


def _track_masks(
    entry: JSONObject, referred: set[str], num_frames: int, path: Path, where: str
) -> dict[str, list[JSONObject | None]]:
    track_masks: dict[str, list[JSONObject | None]] = _entry(entry, "masks", dict, path, where)
    for track_id in sorted(referred, key=id_order):
        if track_id not in track_masks:
            reason = f"{where} has an expression about object {track_id!r}, which its 'masks' lack"
            raise VideoFolderError(path, reason)
    for track_id in track_masks:
        masks = _entry(track_masks, track_id, list, path, f"'masks' of {where}")
        if len(masks) != num_frames:
            reason = f"{where} has {num_frames} frames, but object {track_id!r} {len(masks)} masks"
            raise VideoFolderError(path, reason)
        if not all(mask is None or isinstance(mask, dict) for mask in masks):
            reason = f"a mask is no run-length encoding ({where}, object {track_id!r})"
            raise VideoFolderError(path, reason)
    return track_masks
