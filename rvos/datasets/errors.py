"""What can be wrong with a data set on disk; every message names the file and the remedy."""

from pathlib import Path

from rvos.structures.errors import RvosError

_LONGEST_REASON = 200


def shorten(value: object, most: int = _LONGEST_REASON) -> str:
    r"""Write anything on one short line, for a message.

    Args:
        value: Of unknown origin.
        most: Characters that are kept.

    Returns:
        Its text without line breaks, cut off where it is long.

    >>> shorten(ValueError("a\nb")), len(shorten("x" * 1000))
    ('a b', 203)
    """
    text = " ".join(str(value).split())
    return text if len(text) <= most else f"{text[:most]}..."


class DatasetError(RvosError):
    """The data on disk cannot be used as they are.

    >>> issubclass(DatasetError, RvosError)
    True
    """


class DatasetNotFoundError(DatasetError):
    """A folder or an annotation file is not where the benchmark's layout puts it.

    Args:
        path: Where it was looked for.
        benchmark: Name of the benchmark.

    >>> str(DatasetNotFoundError(Path("ytvos/meta.json"), "Ref-YouTube-VOS"))
    'ytvos/meta.json is missing: ... data/README.md shows the tree of Ref-YouTube-VOS'
    """

    def __init__(self, path: Path, benchmark: str) -> None:
        super().__init__(
            f"{path} is missing: give the folder that holds the benchmark as `root`; "
            f"data/README.md shows the tree of {benchmark}"
        )


class FrameNotFoundError(DatasetError):
    """A frame or annotation that the index lists is not on disk.

    Args:
        path: The missing file.

    >>> str(FrameNotFoundError(Path("train/00005.jpg")))
    'train/00005.jpg is missing although the annotations list it: ...'
    """

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is missing although the annotations list it: unpack the archive again, "
            "or remove the frame from the annotations"
        )


class UnreadableImageError(DatasetError):
    """An image is truncated or no image at all.

    Args:
        path: The file.
        reason: What the decoder says.

    >>> str(UnreadableImageError(Path("00005.jpg"), "truncated"))
    '00005.jpg cannot be decoded (truncated): the file is damaged, unpack or download it again'
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} cannot be decoded ({shorten(reason)}): the file is damaged, unpack or "
            "download it again"
        )


class UnreadableVideoError(DatasetError):
    """A video file is damaged or no video at all.

    Args:
        path: The file.
        reason: What the decoder says.

    >>> str(UnreadableVideoError(Path("a.mp4"), "no frame in it"))
    'a.mp4 cannot be decoded (no frame in it): the file is damaged, unpack or download it again'
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} cannot be decoded ({shorten(reason)}): the file is damaged, unpack or "
            "download it again"
        )


class FramePastEndError(DatasetError):
    """An annotated frame lies beyond the end of its video.

    Args:
        path: The video, or the file that holds its masks.
        frame_id: Name of the frame.
        num_frames: Length of what is on disk.

    >>> str(FramePastEndError(Path("a.mp4"), "00012", 10))
    'frame 00012 is annotated but a.mp4 ends after 10 frames: ...'
    """

    def __init__(self, path: Path, frame_id: str, num_frames: int) -> None:
        super().__init__(
            f"frame {frame_id} is annotated but {path} ends after {num_frames} frames: the file is "
            "cut off, or not of the release that the annotations are of; download it again"
        )


class UnpreparedDatasetError(DatasetError):
    """A benchmark is on disk as downloaded, and is read after a conversion only.

    Args:
        root: Folder of the benchmark.
        benchmark: Its name on the command line.

    >>> str(UnpreparedDatasetError(Path("data/ref_davis17"), "ref_davis17"))
    'data/ref_davis17 holds the download...: run `rvos data prepare ref_davis17 data/ref_davis17`'
    """

    def __init__(self, root: Path, benchmark: str) -> None:
        super().__init__(
            f"{root} holds the download, which has to be converted once: "
            f"run `rvos data prepare {benchmark} {root}`"
        )


class ClipLengthError(DatasetError, ValueError):
    """A clip of the wanted length cannot be chosen.

    >>> issubclass(ClipLengthError, RvosError)
    True
    """


class MaskSizeError(DatasetError):
    """A mask and its frame differ in size.

    Args:
        source: The mask's file, and its key where the file holds several.
        mask_size: (height, width) of the mask.
        frame_size: (height, width) of the frame.

    >>> str(MaskSizeError("00005.png", (20, 31), (20, 30)))
    '00005.png is 20x31 (height x width) but its frame is 20x30: ...'
    """

    def __init__(
        self, source: str, mask_size: tuple[int, int], frame_size: tuple[int, int]
    ) -> None:
        super().__init__(
            f"{source} is {mask_size[0]}x{mask_size[1]} (height x width) but its frame is "
            f"{frame_size[0]}x{frame_size[1]}: frames and annotations must come from one release"
        )


class UnknownObjectError(DatasetError):
    """An expression refers to an object that the annotations do not know.

    Args:
        path: File of the expression.
        video_id: Its video.
        expression_id: The expression.
        object_id: The unknown id.
        known_in: File that should list it.

    >>> str(UnknownObjectError(Path("expressions.json"), "aa", "0", "9", Path("meta.json")))
    'expressions.json: expression 0 of video aa refers to object 9, which meta.json ...'
    """

    def __init__(
        self, path: Path, video_id: str, expression_id: str, object_id: str, known_in: Path
    ) -> None:
        super().__init__(
            f"{path}: expression {shorten(expression_id)} of video {shorten(video_id)} refers to "
            f"object {shorten(object_id)}, "
            f"which {known_in} does not list: use both files of one release"
        )


class MalformedAnnotationError(DatasetError):
    """An annotation file is no JSON or lacks what its layout asks for.

    Args:
        path: The file.
        reason: What is wrong, and where.

    >>> str(MalformedAnnotationError(Path("meta.json"), "no entry 'videos'"))
    "meta.json is malformed (no entry 'videos'): restore the file as published"
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is malformed ({shorten(reason)}): restore the file as published")
