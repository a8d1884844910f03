"""Predictions and archives of other people, with something changed in them."""

import io
import json
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rvos.datasets.preparation.archives import ArchiveLimits, unpack_archive
from rvos.evaluation.detections import DetectionFile
from rvos.evaluation.expression_folders import ExpressionFolders
from rvos.evaluation.prediction_source import open_predictions

SIZE = (20, 30)
NAMES = st.one_of(
    st.sampled_from(
        [
            "aa/0/0.png",
            "aa/0/1.png",
            "bb/1/0.png",
            "../up.png",
            "/etc/x",
            "a\\b",
            "C:x",
            ".",
            "aa",
            "aa/../../x",
            "./aa/0/0.png",
            "aa//0/0.png",
            "Annotations/aa/0/0.png",
            "\x00",
            "x" * 300,
        ]
    ),
    st.text(max_size=12),
)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


def mask_file(values: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "PNG")
    return stream.getvalue()


SOUND_MASK = mask_file(np.eye(*SIZE, dtype=np.uint8) * 255)
CONTENTS = st.sampled_from(
    [
        SOUND_MASK,
        b"",
        b"text",
        mask_file(np.zeros((3, 3), np.uint8)),
        bytes(100000),
        mask_file(np.zeros((*SIZE, 3), np.uint8)),
        mask_file(np.arange(600, dtype=np.uint8)[None]),
    ]
)


def zip_file(members: list[tuple[str, bytes]]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)
    return stream.getvalue()


def tar_file(members: list[tuple[str, bytes]], kinds: list[bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for (name, content), kind in zip(members, kinds, strict=False):
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(content), "/etc/passwd"
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


MEMBERS = st.lists(st.tuples(NAMES.filter(lambda name: "\0" not in name), CONTENTS), max_size=5)


def score(path: Path) -> None:
    """Read all that a scorer would."""
    folders = ExpressionFolders(open_predictions(path), ["aa", "bb"], "Annotations")
    for video in ("aa", "bb"):
        for expression in ("0", "1"):
            for frame in sorted(folders.frames(video, expression)):
                mask = folders.mask(video, expression, frame, SIZE)
                assert mask.shape == SIZE
    folders.notes()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@given(data=st.data(), members=MEMBERS)
def test_prediction_archives(
    work: Path, fuzzer: Any, data: st.DataObject, members: list[tuple[str, bytes]]
) -> None:
    path = work / "predictions.zip"
    content = zip_file([("aa/0/00000.png", SOUND_MASK), *members])
    path.write_bytes(fuzzer.bytes(data, content) if data.draw(st.booleans()) else content)
    with fuzzer.refusal(path.name):
        score(path)


@given(data=st.data())
def test_prediction_folders(work: Path, fuzzer: Any, data: st.DataObject) -> None:
    folder = work / "predictions"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("aa/0/00000.png", "aa/0/00001.png", "bb/1/00000.png"):
        path = folder / data.draw(st.sampled_from(["", "Annotations", "a/b/c"])) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.draw(CONTENTS))
    if data.draw(st.booleans()):
        path.write_bytes(fuzzer.bytes(data, SOUND_MASK))
    with fuzzer.refusal(folder.name):
        score(folder)


DETECTIONS = [
    {
        "image_id": image,
        "score": 0.5,
        "category_id": 1,
        "segmentation": {"size": list(SIZE), "counts": "5:5:5:b1"},
        "bbox": [1.0, 2.0, 3.0, 4.0],
    }
    for image in (1, 2)
]


@given(data=st.data())
def test_detection_lists(work: Path, fuzzer: Any, data: st.DataObject) -> None:
    path = work / "detections.json"
    path.write_bytes(fuzzer.json(data, DETECTIONS))
    with fuzzer.refusal(path.name):
        detections = DetectionFile(path, [1, 2])
        for image in (1, 2):
            for detection in detections.of_image(image):
                assert np.isfinite(detection.score)
                with fuzzer.refusal(path.name):
                    detections.read_mask(detection, image, SIZE)
                with fuzzer.refusal(path.name):
                    detections.read_box(detection, image)


KINDS = st.lists(
    st.sampled_from(
        [
            tarfile.REGTYPE,
            tarfile.REGTYPE,
            tarfile.DIRTYPE,
            tarfile.SYMTYPE,
            tarfile.LNKTYPE,
            tarfile.FIFOTYPE,
            tarfile.CHRTYPE,
        ]
    ),
    min_size=5,
    max_size=5,
)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@given(data=st.data(), members=MEMBERS, kinds=KINDS)
def test_archives(
    work: Path,
    fuzzer: Any,
    data: st.DataObject,
    members: list[tuple[str, bytes]],
    kinds: list[bytes],
) -> None:
    outside = work / "unpacking"
    shutil.rmtree(outside, ignore_errors=True)
    root = outside / "root"
    root.mkdir(parents=True)
    is_zip = data.draw(st.booleans())
    path = root / ("a.zip" if is_zip else "a.tar.gz")
    try:
        content = zip_file(members) if is_zip else tar_file(members, kinds)
    except (ValueError, UnicodeError):
        return
    path.write_bytes(fuzzer.bytes(data, content) if data.draw(st.booleans()) else content)
    with fuzzer.refusal(path.name):
        unpack_archive(path, root, ArchiveLimits(250_000))
    # Nothing beside the root, and nothing in it that is neither file nor folder.
    assert [each.name for each in outside.iterdir()] == ["root"]
    for found in root.rglob("*"):
        assert not found.is_symlink()
        assert found.is_file() or found.is_dir()
    unpacked = sum(each.stat().st_size for each in root.rglob("*") if each.is_file())
    assert unpacked <= 250_000 + path.stat().st_size + 100_000


def test_what_is_fuzzed_is_sound(work: Path) -> None:
    path = work / "sound.zip"
    path.write_bytes(zip_file([("aa/0/00000.png", SOUND_MASK)]))
    score(path)
    path.with_suffix(".json").write_text(json.dumps(DETECTIONS))
    assert len(DetectionFile(path.with_suffix(".json"), [1, 2]).of_image(1)) == 1
