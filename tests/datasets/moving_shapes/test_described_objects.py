from rvos.datasets.moving_shapes.described_objects import expressions_by_object
from rvos.datasets.moving_shapes.records import ExpressionRecord, VideoRecord

RECORD = VideoRecord(
    video_id="0a",
    index=0,
    frames=["00000"],
    objects={},
    expressions=[
        ExpressionRecord("the star", [3], "appearance"),
        ExpressionRecord("both", [1, 3], "several"),
        ExpressionRecord("the disc", [1], "appearance"),
        ExpressionRecord("what leaves", [3], "motion"),
        ExpressionRecord("a dog", [], "none"),
    ],
    masks={},
)


def test_only_single_targets_by_object() -> None:
    assert expressions_by_object(RECORD) == {1: ["the disc"], 3: ["the star", "what leaves"]}
    assert list(expressions_by_object(RECORD)) == [1, 3]


def test_kinds() -> None:
    assert expressions_by_object(RECORD, ["motion"]) == {3: ["what leaves"]}
