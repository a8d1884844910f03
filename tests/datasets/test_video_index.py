import string
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.errors import DatasetNotFoundError, MalformedAnnotationError
from rvos.datasets.safe_names import UnsafeNameError
from rvos.datasets.video_index import (
    Expression,
    Video,
    clean_expression,
    find_unknown_objects,
    id_list,
    id_order,
    index_samples,
    parse_expressions,
    read_video_entries,
    select_videos,
)


def _video(name: str, num_frames: int, kinds: list[str]) -> Video:
    expressions = tuple(Expression(str(i), f"e{i}", kind, ()) for i, kind in enumerate(kinds))
    return Video(name, tuple(str(i) for i in range(num_frames)), (), expressions)


videos = st.lists(
    st.builds(
        _video,
        st.text(string.ascii_lowercase, min_size=1, max_size=3),
        st.integers(1, 20),
        st.lists(st.sampled_from(["a", "b", ""]), max_size=3),
    ),
    max_size=4,
)


@given(videos, st.integers(1, 8))
def test_every_expression_has_an_anchor_every_step(content: list[Video], step: int) -> None:
    expected = [
        [v, e, anchor]
        for v, video in enumerate(content)
        for e in range(len(video.expressions))
        for anchor in range(0, len(video.frame_ids), step)
    ]
    np.testing.assert_array_equal(
        index_samples(content, step), np.array(expected, dtype=np.int64).reshape(-1, 3)
    )


@given(videos)
def test_without_step_every_expression_is_one_sample(content: list[Video]) -> None:
    samples = index_samples(content, None)
    assert len(samples) == sum(len(video.expressions) for video in content)
    assert (samples[:, 2] == 0).all()
    assert samples[:, :2].tolist() == sorted(samples[:, :2].tolist())  # one video side by side


@given(videos, st.integers(1, 3))
def test_selection_keeps_kinds_and_the_first_videos(content: list[Video], limit: int) -> None:
    kept = select_videos(content, ["a"], limit)
    assert all(e.kind == "a" for video in kept for e in video.expressions)
    having = [v.video_id for v in content if any(e.kind == "a" for e in v.expressions)]
    assert [video.video_id for video in kept] == having[:limit]


def test_expressions_are_cleaned_and_ordered_by_number() -> None:
    entries = {
        "10": {"exp": "ten", "obj_id": "2"},
        "9": {"exp": " A  Nine\t", "obj_id": [1, "3"], "kind": "several"},
        "2": {"exp": "none"},
    }
    parsed = parse_expressions(entries, "obj_id", Path("meta_expressions.json"))
    assert [e.expression_id for e in parsed] == ["2", "9", "10"]
    assert [e.text for e in parsed] == ["none", "a nine", "ten"]
    assert [e.track_ids for e in parsed] == [(), ("1", "3"), ("2",)]
    assert [e.kind for e in parsed] == ["", "several", ""]


def test_an_expression_cannot_lead_out_of_the_folder_of_predictions() -> None:
    with pytest.raises(UnsafeNameError, match=r"meta\.json names '\.\./0'"):
        parse_expressions({"../0": {"exp": "a dog"}}, "obj_id", Path("meta.json"))


def test_unknown_objects_are_found_one_by_one() -> None:
    expressions = (Expression("0", "dogs", "", ("1", "2", "3")), Expression("1", "", "", ("2",)))
    video = Video("aa", ("0",), (), expressions)
    found = find_unknown_objects(video, {"1"}, Path("meta_expressions.json"), Path("meta.json"))
    parts = [str(error).split("refers to object ") for error in found]
    assert [(first.partition(": ")[2], rest[0]) for first, rest in parts] == [
        ("expression 0 of video aa ", "2"),
        ("expression 0 of video aa ", "3"),
        ("expression 1 of video aa ", "2"),
    ]


def test_a_file_without_videos_is_named(tmp_path: Path) -> None:
    path = tmp_path / "meta.json"
    with pytest.raises(DatasetNotFoundError, match=r"meta\.json is missing.*tree of MeViS"):
        read_video_entries(path, "MeViS")
    for content in ('{"video": {}}', '{"videos": 3}', "[]"):
        path.write_text(content)
        with pytest.raises(MalformedAnnotationError, match=r"meta\.json is malformed"):
            read_video_entries(path, "MeViS")
    path.write_text('{"videos": {"aa": {"frames": []}}}')
    assert read_video_entries(path, "MeViS") == {"aa": {"frames": []}}


@given(st.text())
def test_cleaning_is_idempotent(text: str) -> None:
    assert clean_expression(clean_expression(text)) == clean_expression(text)


def test_ids_are_text_without_repeats() -> None:
    assert id_list(7) == ("7",)
    assert id_list("") == id_list([]) == id_list(None) == ()
    assert id_list(0) == ("0",)
    assert sorted(["b", "10", "9", "a1"], key=id_order) == ["9", "10", "a1", "b"]


@given(videos, st.sets(st.integers(0, 19), min_size=1), st.none() | st.integers(1, 8))
def test_annotated_frames_are_the_samples_whatever_the_step(
    content: list[Video], frames: set[int], step: int | None
) -> None:
    single = [
        replace(
            video,
            expressions=tuple(
                replace(e, annotated_frames=tuple(sorted(frames))) for e in video.expressions
            ),
        )
        for video in content
    ]
    rows = index_samples(single, step).tolist()
    expected = [
        [v, e, frame]
        for v, video in enumerate(content)
        for frame in sorted(frames)  # expressions of one frame side by side
        for e in range(len(video.expressions))
    ]
    assert rows == expected
