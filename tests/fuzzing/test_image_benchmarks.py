"""A2D-Sentences, JHMDB-Sentences and RefCOCO, with something changed in a file."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat

from rvos.datasets.a2d_files import (
    missed_videos_path,
    queries_path,
    read_instances,
    read_missed_videos,
    read_queries,
    read_videos,
    videos_path,
)
from rvos.datasets.a2d_samples import read_sample_list
from rvos.datasets.jhmdb_files import SAMPLES_FILE, read_puppet_masks, read_samples, read_sentences
from rvos.datasets.preparation.outputs import PreparedFolder
from rvos.datasets.preparation.refcoco import prepare_refcoco
from rvos.datasets.refcoco import RefCOCODataset
from rvos.datasets.refcoco_files import read_references

Tree = Callable[[str], Path]


@pytest.fixture(scope="module")
def a2d(sound_tree: Tree) -> Path:
    return sound_tree("a2d_sentences")


@pytest.fixture(scope="module")
def jhmdb(sound_tree: Tree) -> Path:
    return sound_tree("jhmdb_sentences")


@pytest.fixture(scope="module")
def refcoco(sound_tree: Tree) -> Path:
    return sound_tree("coco")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@given(data=st.data())
def test_a2d_tables(a2d: Path, fuzzer: Any, data: st.DataObject) -> None:
    tables: list[tuple[Path, Callable[[Path], Any]]] = [
        (videos_path(a2d), read_videos),
        (queries_path(a2d), read_queries),
        (missed_videos_path(a2d), read_missed_videos),
    ]
    path, read = data.draw(st.sampled_from(tables))
    sound = path.read_bytes()
    rows = sound.decode().splitlines()[:20]
    path.write_bytes(fuzzer.lines(data, "\n".join(rows)))
    try:
        with fuzzer.refusal(path.name):
            read(a2d)
    finally:
        path.write_bytes(sound)


@given(data=st.data())
def test_a2d_sample_list(a2d: Path, work: Path, fuzzer: Any, data: st.DataObject) -> None:
    sound = a2d / "a2d_sentences_single_frame_test_annotations.json"
    path = work / "list.json"
    path.write_bytes(fuzzer.json(data, json.loads(sound.read_bytes())))
    with fuzzer.refusal(path.name):
        for sample in read_sample_list(path):
            assert "/" not in sample.image_id.removeprefix(f"v_{sample.video_id}")


H5_ENTRIES = st.dictionaries(
    st.sampled_from(["instance", "reMask", "reBBox"]),
    st.sampled_from(
        [
            np.zeros((2, 6, 4), np.uint8),
            np.ones((6, 4), np.uint8),
            np.array([0, 1]),
            np.array([0.5, np.nan]),
            np.array([[1.0, 2, 3, 4], [1, 2, 3, 4]]).T,
            np.array([1.0, 2, 3, 4]),
            np.array([b"text"]),
            np.zeros((0, 6, 4), np.uint8),
            np.zeros((1, 2, 3, 4), np.uint8),
            np.array(3),
        ]
    ),
    min_size=2,
)


@given(data=st.data(), entries=H5_ENTRIES)
def test_a2d_instances(work: Path, fuzzer: Any, data: st.DataObject, entries: Any) -> None:
    path = work / "00001.h5"
    with h5py.File(path, "w") as file:
        for name, values in entries.items():
            file[name] = values
    if data.draw(st.booleans()):
        content = path.read_bytes()
        path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with fuzzer.refusal(path.name):
        instances = read_instances(path)
        assert len(instances.instance_ids) == len(instances.masks) == len(instances.boxes_xyxy)
        assert instances.masks.ndim == 3


@given(data=st.data())
def test_jhmdb_lists(jhmdb: Path, fuzzer: Any, data: st.DataObject) -> None:
    path = jhmdb / SAMPLES_FILE
    sound = path.read_bytes()
    path.write_bytes(fuzzer.json(data, json.loads(sound)))
    try:
        with fuzzer.refusal(path.name):
            for sample in read_samples(jhmdb):
                for place in (sample.frames_folder(jhmdb), sample.masks_path(jhmdb)):
                    assert ".." not in place.parts
                    assert place.is_relative_to(jhmdb)
    finally:
        path.write_bytes(sound)


@given(data=st.data())
def test_jhmdb_sentences(jhmdb: Path, fuzzer: Any, data: st.DataObject) -> None:
    path = jhmdb / "jhmdb_annotation.txt"
    sound = path.read_bytes()
    path.write_bytes(fuzzer.lines(data, sound.decode()))
    try:
        with fuzzer.refusal(path.name):
            read_sentences(jhmdb)
    finally:
        path.write_bytes(sound)


@given(data=st.data())
def test_puppet_masks(work: Path, fuzzer: Any, data: st.DataObject) -> None:
    path = work / "puppet_mask.mat"
    masks = data.draw(
        st.sampled_from(
            [
                np.ones((6, 8, 3), np.uint8),
                np.ones((6, 8), np.uint8),
                np.array(["text", "texts"], dtype=object),
                np.zeros((2, 2, 2), dtype=object),
                np.ones((2, 3, 4)) * np.nan,
            ]
        )
    )
    name = data.draw(st.sampled_from(["part_mask", "other"]))
    savemat(path, {name: masks}, do_compression=data.draw(st.booleans()))
    if data.draw(st.integers(0, 3)):
        path.write_bytes(fuzzer.bytes(data, path.read_bytes()))
    with fuzzer.refusal(path.name):
        assert read_puppet_masks(path).ndim == 3


@given(data=st.data())
def test_references(refcoco: Path, fuzzer: Any, data: st.DataObject) -> None:
    path = refcoco / "refcoco" / "refs(unc).p"
    sound = path.read_bytes()
    if data.draw(st.booleans()):
        path.write_bytes(fuzzer.bytes(data, sound))
    else:
        protocol = data.draw(st.integers(2, 5))
        values = fuzzer.values(data, pickle.loads(sound))
        path.write_bytes(pickle.dumps(values, protocol))
    try:
        with fuzzer.refusal(path.name):
            for reference in read_references(refcoco, "refcoco"):
                assert all(isinstance(text, str) for text in reference.expressions)
    finally:
        path.write_bytes(sound)


@given(data=st.data())
def test_instances(refcoco: Path, work: Path, fuzzer: Any, data: st.DataObject) -> None:
    folder = work / "raw" / "refcoco"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(refcoco / "refcoco", folder)
    path = folder / "instances.json"
    path.write_bytes(fuzzer.json(data, json.loads(path.read_bytes())))
    with fuzzer.refusal(path.name):
        prepare_refcoco(PreparedFolder(work / "raw"), "refcoco")
        assert (folder / "instances_refcoco_val.json").is_file()


@pytest.fixture(scope="module")
def converted(refcoco: Path) -> Path:
    root = refcoco / "expected_converted"
    (root / "train2014").mkdir(exist_ok=True)
    for path in root.glob("refcoco/*.json"):
        for image in json.loads(path.read_bytes())["images"]:
            pixels = np.zeros((image["height"], image["width"], 3), np.uint8)
            Image.fromarray(pixels).save(root / "train2014" / image["file_name"])
    return root


@given(data=st.data())
def test_converted_refcoco(converted: Path, fuzzer: Any, data: st.DataObject) -> None:
    path = converted / "refcoco" / "instances_refcoco_val.json"
    sound = path.read_bytes()
    path.write_bytes(fuzzer.json(data, json.loads(sound)))
    try:
        with fuzzer.refusal(path.name):
            dataset = RefCOCODataset(converted, "refcoco", "val")
            for index in range(len(dataset)):
                image = dataset.image_path(index)
                assert image.parent == converted / "train2014"
            with fuzzer.refusal(str(converted)):
                sample = dataset.read_sample(0, 0)
                assert sample.targets.masks.shape[-2:] == sample.frames.shape[-2:]
    finally:
        path.write_bytes(sound)
