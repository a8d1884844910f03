"""Checking Ref-DAVIS17, as downloaded and as prepared."""

from rvos.datasets.checking.inspection import Inspection
from rvos.datasets.checking.ref_youtube_vos import check_split
from rvos.datasets.davis_text import ANNOTATORS, DAVIS_NAME, TEXT_FOLDER, read_davis_text
from rvos.datasets.ref_youtube_vos import expressions_path
from rvos.datasets.video_index import read_video_entries


def check_ref_davis17(inspection: Inspection, split: str) -> None:
    """Check one split.

    Args:
        inspection: Takes faults and counts.
        split: ``train`` or ``valid``.
    """
    root = inspection.root
    texts = root / TEXT_FOLDER
    if texts.is_dir():
        with inspection.collecting(texts):
            read_davis_text(texts)
    path = expressions_path(root, split)
    if not path.is_file() and (root / "DAVIS").is_dir():
        inspection.fault(path, "is missing", f"run `rvos data prepare ref_davis17 {root}`")
        return
    frames = root / split / "JPEGImages"
    if not inspection.has_folder(frames, f"run `rvos data prepare ref_davis17 {root}`"):
        return
    with inspection.collecting(path):
        entries = read_video_entries(path, DAVIS_NAME)
        for video in check_split(inspection, split, entries, DAVIS_NAME, needs_masks=True):
            if len(video.expressions) % len(ANNOTATORS):
                inspection.fault(
                    path,
                    f"has {len(video.expressions)} expressions of {video.video_id}, not four per "
                    "object",
                    "prepare it again from the text files as published",
                )
