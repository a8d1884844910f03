"""What each benchmark's scorer or server wants, made of predictions as they come."""

from rvos.evaluation.submissions.annotator_maps import AnnotatorMaps
from rvos.evaluation.submissions.base import Submission, SubmissionError
from rvos.evaluation.submissions.detection_list import DetectionList
from rvos.evaluation.submissions.expected_sample import ExpectedSample, expected_samples
from rvos.evaluation.submissions.mask_archive import MaskArchive
from rvos.evaluation.submissions.of_dataset import open_submissions

__all__ = [
    "AnnotatorMaps",
    "DetectionList",
    "ExpectedSample",
    "MaskArchive",
    "Submission",
    "SubmissionError",
    "expected_samples",
    "open_submissions",
]
