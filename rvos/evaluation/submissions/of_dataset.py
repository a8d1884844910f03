"""Which submissions are made of the predictions of a data set."""

from pathlib import Path

from rvos.datasets.a2d_files import A2DSample
from rvos.datasets.a2d_sentences import A2DSentencesDataset
from rvos.datasets.clip_dataset import ClipDataset
from rvos.datasets.files import read_frame_size
from rvos.datasets.jhmdb_files import JHMDBSample
from rvos.datasets.jhmdb_sentences import JHMDBSentencesDataset
from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.mixture import MixtureDataset
from rvos.datasets.ref_davis17 import RefDAVIS17Dataset
from rvos.datasets.ref_youtube_vos import RefYouTubeVOSDataset
from rvos.datasets.refcoco import RefCOCODataset
from rvos.evaluation.submissions.annotator_maps import AnnotatorMaps
from rvos.evaluation.submissions.base import Submission
from rvos.evaluation.submissions.detection_list import DetectionList
from rvos.evaluation.submissions.expected_sample import ExpectedSample, expected_samples
from rvos.evaluation.submissions.mask_archive import MaskArchive


def open_submissions(dataset: ClipDataset, folder: Path) -> list[Submission]:
    """Choose what a benchmark's scorer or server wants.

    Args:
        dataset: What is predicted.
        folder: Folder of the predictions.

    Returns:
        One submission, or one per set of RefCOCO; none where masks are all that is wanted.
    """
    samples = expected_samples(dataset)
    if samples is None:
        return []
    if isinstance(dataset, MixtureDataset):
        # Of videos there are no mixtures to predict; their parts would need names of their own.
        names = [name for name, part in dataset.parts.items() if isinstance(part, RefCOCODataset)]
        return [
            DetectionList(
                folder,
                [s for s in samples if s.sample_id.startswith(f"{name}/")],
                name,
                _refcoco_image_id,
            )
            for name in names
        ]
    return _open(dataset, folder, samples)


def _open(dataset: ClipDataset, folder: Path, samples: list[ExpectedSample]) -> list[Submission]:
    if isinstance(dataset, RefDAVIS17Dataset):
        # One's own videos in this layout may have other ids, and then no annotators.
        numbered = all(sample.expression_id.isdecimal() for sample in samples)
        return [AnnotatorMaps(folder, samples)] if numbered else []
    if isinstance(dataset, RefYouTubeVOSDataset | MeViSDataset):
        server_folder = "" if isinstance(dataset, MeViSDataset) else "Annotations"
        return [_archive(dataset, folder, samples, server_folder)]
    if isinstance(dataset, A2DSentencesDataset):
        return [DetectionList(folder, samples, "a2d_sentences", _a2d_image_id)]
    if isinstance(dataset, JHMDBSentencesDataset):
        return [DetectionList(folder, samples, "jhmdb_sentences", _jhmdb_image_id)]
    if isinstance(dataset, RefCOCODataset):
        return [DetectionList(folder, samples, dataset.name, _refcoco_image_id)]
    return []


def _archive(
    dataset: RefYouTubeVOSDataset | MeViSDataset,
    folder: Path,
    samples: list[ExpectedSample],
    server_folder: str,
) -> MaskArchive:
    videos = {video.video_id: video for video in dataset.videos}

    def frame_size(video_id: str) -> tuple[int, int]:
        video = videos[video_id]
        return read_frame_size(dataset.frame_path(video, video.frame_ids[0]))

    return MaskArchive(folder, samples, server_folder, frame_size)


def _a2d_image_id(sample: ExpectedSample) -> str:
    # A second wording of an instance has a number behind a dot.
    instance = int(sample.expression_id.partition(".")[0])
    return A2DSample("", sample.video_id, int(sample.frame_ids[0]), instance).image_id


def _jhmdb_image_id(sample: ExpectedSample) -> str:
    return JHMDBSample(sample.video_id, "", int(sample.frame_ids[0]), 0, "").image_id


def _refcoco_image_id(sample: ExpectedSample) -> int:
    return int(sample.expression_id)
