"""Which expressions of A2D-Sentences are annotated in which frames."""

from pathlib import Path

from rvos.datasets.a2d_files import (
    A2D_NAME,
    A2DSample,
    instance_folder,
    is_spoilt,
    queries_path,
    read_instance_ids,
    read_missed_videos,
    read_queries,
    read_videos,
)
from rvos.datasets.errors import FrameNotFoundError, MalformedAnnotationError
from rvos.datasets.files import annotation_layout, read_json_list
from rvos.datasets.safe_names import check_name


def samples_path(root: Path, split: str) -> Path:
    """File of the published list of samples.

    Args:
        root: Folder of the benchmark.
        split: ``train`` or ``test``.

    Returns:
        The path.

    >>> samples_path(Path("a2d"), "test").name
    'a2d_sentences_single_frame_test_annotations.json'
    """
    return root / f"a2d_sentences_single_frame_{split}_annotations.json"


def list_samples(root: Path, split: str) -> list[A2DSample]:
    """List the samples: from the published list where it is there, else from the masks themselves.

    Args:
        root: Folder of the benchmark.
        split: ``train`` or ``test``.

    Returns:
        The samples, by expression and frame.

    Raises:
        DatasetError: If an annotation file is missing or broken.
    """
    if samples_path(root, split).is_file():
        return read_sample_list(samples_path(root, split))
    return scan_samples(root, split)


def read_sample_list(path: Path) -> list[A2DSample]:
    """Read a list of samples, each ``[expression, video, frame from 1, instance]``.

    Args:
        path: The file.

    Returns:
        The samples, in its order.

    Raises:
        DatasetNotFoundError: Without the file.
        MalformedAnnotationError: If it breaks the layout.
    """
    entries = read_json_list(path, A2D_NAME)
    with annotation_layout(path):
        return [
            A2DSample(
                str(query).lower(), check_name(str(video_id), path), int(frame), int(instance)
            )
            for query, video_id, frame, instance in entries
        ]


def scan_samples(root: Path, split: str) -> list[A2DSample]:
    """Look up in every mask file which instances a frame has.

    A frame without the expression's instance makes no sample, as published.

    Args:
        root: Folder of the benchmark.
        split: ``train`` or ``test``.

    Returns:
        The samples, in the order of ``a2d_annotation.txt`` and then of the frames.

    Raises:
        DatasetError: If an annotation file is missing or broken.
    """
    missed = read_missed_videos(root)
    kept = {v.video_id for v in read_videos(root) if v.split == split} - missed
    frames: dict[str, dict[int, tuple[int, ...]]] = {}
    samples = []
    for video_id, instance_name, query in read_queries(root):
        if video_id not in kept or is_spoilt(instance_name):
            continue
        if not instance_name.isdecimal():
            reason = f"instance {instance_name!r} of video {video_id} is no number"
            raise MalformedAnnotationError(queries_path(root), reason)
        if video_id not in frames:
            frames[video_id] = _instances_by_frame(instance_folder(root, video_id))
        samples += [
            A2DSample(query.lower(), video_id, frame, int(instance_name))
            for frame, instances in frames[video_id].items()
            if int(instance_name) in instances
        ]
    return samples


def _instances_by_frame(folder: Path) -> dict[int, tuple[int, ...]]:
    paths = sorted(folder.glob("*.h5"))
    if not paths:
        raise FrameNotFoundError(folder)
    with annotation_layout(folder):
        return {int(path.stem): read_instance_ids(path) for path in paths}
