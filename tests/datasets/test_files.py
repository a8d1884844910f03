import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rvos.datasets.errors import (
    DatasetNotFoundError,
    FrameNotFoundError,
    MalformedAnnotationError,
    UnreadableImageError,
)
from rvos.datasets.files import (
    annotation_layout,
    read_frame,
    read_json,
    read_json_entries,
    read_object_ids,
)

NOISE = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)


def _jpeg_bytes() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(NOISE).save(buffer, "JPEG")
    return buffer.getvalue()


def test_frames_become_rgb_whatever_the_mode(tmp_path: Path) -> None:
    for mode in ("L", "RGB", "RGBA", "P"):
        path = tmp_path / f"{mode}.png"
        Image.fromarray(NOISE).convert(mode).save(path)
        frame = read_frame(path)
        assert frame.shape == (32, 48, 3)
        assert frame.flags.writeable


def test_palette_pngs_give_object_ids_not_colours(tmp_path: Path) -> None:
    ids = np.arange(12, dtype=np.uint8).reshape(3, 4)
    image = Image.fromarray(ids, mode="P")
    image.putpalette([7] * 768)
    image.save(tmp_path / "ids.png")
    np.testing.assert_array_equal(read_object_ids(tmp_path / "ids.png"), ids)


def test_true_colour_annotations_are_refused(tmp_path: Path) -> None:
    Image.fromarray(NOISE).save(tmp_path / "colour.png")
    with pytest.raises(UnreadableImageError, match="palette"):
        read_object_ids(tmp_path / "colour.png")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.95])
def test_truncated_frames_are_refused(tmp_path: Path, share: float) -> None:
    content = _jpeg_bytes()
    path = tmp_path / "frame.jpg"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UnreadableImageError, match=r"frame\.jpg"):
        read_frame(path)


def test_truncated_annotations_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ids.png"
    Image.fromarray(NOISE[..., 0]).save(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UnreadableImageError, match=r"ids\.png"):
        read_object_ids(path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FrameNotFoundError, match=r"frame\.jpg"):
        read_frame(tmp_path / "frame.jpg")
    with pytest.raises(DatasetNotFoundError, match=r"meta\.json.*MeViS"):
        read_json(tmp_path / "meta.json", "MeViS")


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe", b""])
def test_annotation_files_must_hold_a_json_object(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "meta.json"
    path.write_bytes(content)
    with pytest.raises(MalformedAnnotationError, match=r"meta\.json"):
        read_json(path, "MeViS")


def test_parsing_errors_become_one_that_names_the_file() -> None:
    for wrong in ({}, [], {"videos": 3}, {"videos": None}):
        with (
            pytest.raises(MalformedAnnotationError, match=r"meta\.json"),
            annotation_layout(Path("meta.json")),
        ):
            sorted(wrong["videos"].items())  # type: ignore[call-overload]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.text(max_size=4), json_values, max_size=4), st.sampled_from([None, 0, 2]))
def test_entry_by_entry_is_the_whole(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any], indent: int | None
) -> None:
    path = tmp_path_factory.mktemp("json") / "a.json"
    path.write_text(f"\n{json.dumps(content, indent=indent)} ", encoding="utf-8")
    assert list(read_json_entries(path, "MeViS")) == list(content.items())


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mask_dict.json"
    text = '{"7": [{"size": [2, 3], "counts": "6"}, null], "8": []}'
    for length in range(len(text)):
        path.write_text(text[:length])
        with pytest.raises(MalformedAnnotationError, match=r"mask_dict\.json"):
            list(read_json_entries(path, "MeViS"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "holds a list, not an object"),
        ("7", "holds a int, not an object"),
        ('{"a": 1} {', "more follows"),
        ('{"a": 1 "b": 2}', "delimiter"),
        ('{"a" 1}', "delimiter"),
        ("{3: 1}", "name is no text: 3"),
        ('{"a": 1,}', "not JSON"),
    ],
)
def test_what_is_no_object_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(MalformedAnnotationError, match=message):
        list(read_json_entries(path, "MeViS"))


def test_a_missing_large_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"mask_dict\.json"):
        next(read_json_entries(tmp_path / "mask_dict.json", "MeViS"))
