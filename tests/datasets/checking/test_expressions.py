from pathlib import Path
from typing import Any

import pytest

from rvos.datasets.checking.expressions import check_targets, parse_videos
from rvos.datasets.checking.inspection import Inspection

PATH = Path("meta_expressions.json")
SOUND = {"frames": ["0"], "expressions": {"0": {"exp": "a dog", "obj_id": "1"}}}


@pytest.mark.parametrize(
    "entry", [None, {}, {"frames": ["0"]}, SOUND | {"frames": ["../0"]}, SOUND | {"expressions": 3}]
)
def test_broken_entry_is_a_fault_and_the_others_are_read(entry: Any) -> None:
    inspection = Inspection("ref_youtube_vos", Path())
    videos = parse_videos(inspection, {"bad": entry, "good": SOUND}, PATH, "obj_id")
    assert [video.video_id for video in videos] == ["good"]
    assert len(inspection.report().faults) == 1


def test_targets_must_be_known() -> None:
    inspection = Inspection("ref_youtube_vos", Path())
    (video,) = parse_videos(inspection, {"aa": SOUND}, PATH, "obj_id")
    check_targets(inspection, video, {"1"}, PATH, Path("meta.json"))
    assert inspection.report().faults == ()
    check_targets(inspection, video, {"2"}, PATH, Path("meta.json"))
    assert "refers to object 1" in inspection.report().faults[0].message
