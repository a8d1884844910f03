"""Tiny data sets in the released layouts: three videos of 20x30 pixels with moving bars."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rvos.ops.rle import encode_mask

HEIGHT, WIDTH = 20, 30
# Frame names have gaps and do not start at zero, as in the release.
FRAMES = {"aa": ["00005", "00010", "00015", "00025", "00030", "00035", "00040", "00060"]}
FRAMES |= {"bb": ["00000", "00005", "00010", "00015", "00020"], "cc": ["00100"]}
OBJECTS = {"aa": [1, 2, 3], "bb": [1, 2], "cc": [1]}
EXPRESSIONS: dict[str, list[tuple[str, list[int], str]]] = {
    "aa": [
        ("The bright  bar on the LEFT", [1], "relation"),
        ("second bar", [2], "appearance"),
        ("all of them", [1, 2, 3], "several"),
        ("a dog", [], "none"),
    ],
    "bb": [("moving up", [1], "direction"), ("a bar", [2], "appearance")],
    "cc": [("the only bar", [1], "appearance")],
}


def instances(video: str, frame: int) -> np.ndarray:
    """Object ids ``[H, W]``: bar k starts at column 8k, moves right, is away in frame k."""
    ids = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    for object_id in OBJECTS[video]:
        if object_id != frame:
            left = 8 * (object_id - 1) + frame % 3
            ids[2 * object_id : 16, left : left + 5] = object_id
    return ids


def write_frames(folder: Path) -> None:
    for video, names in FRAMES.items():
        (folder / video).mkdir(parents=True)
        for index, name in enumerate(names):
            ids = instances(video, index)
            frame = np.stack([ids * 60, 255 - ids * 40, ids * 0 + index * 20], axis=-1)
            Image.fromarray(frame.astype(np.uint8)).save(folder / video / f"{name}.jpg")


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def ref_youtube_vos_root(tmp_path: Path) -> Path:
    """Ref-YouTube-VOS: ``train`` with masks; ``valid`` without, whose file lists ``cc`` of test."""
    root = tmp_path / "ref_youtube_vos"
    videos: dict[str, Any] = {}
    meta: dict[str, Any] = {}
    for video, names in FRAMES.items():
        single = [e for e in EXPRESSIONS[video] if len(e[1]) == 1]
        videos[video] = {
            "expressions": {
                str(number): {"exp": text, "obj_id": str(objects[0])}
                for number, (text, objects, _) in enumerate(single)
            },
            "frames": names,
        }
        meta[video] = {"objects": {str(k): {"category": "bar"} for k in OBJECTS[video]}}
        folder = root / "train" / "Annotations" / video
        folder.mkdir(parents=True)
        for index, name in enumerate(names):
            image = Image.fromarray(instances(video, index), mode="P")
            image.putpalette([(value * 37) % 256 for value in range(768)])
            image.save(folder / f"{name}.png")
    write_frames(root / "train" / "JPEGImages")
    write_frames(root / "valid" / "JPEGImages")
    write_json(root / "train" / "meta.json", {"videos": meta})
    for split in ("train", "valid"):
        path = root / "meta_expressions" / split / "meta_expressions.json"
        write_json(path, {"videos": dict(reversed(videos.items()))})
    test = {"videos": {"cc": videos["cc"]}}
    write_json(root / "meta_expressions" / "test" / "meta_expressions.json", test)
    return root


@pytest.fixture
def mevis_root(tmp_path: Path) -> Path:
    """MeViS: ``valid_u`` (and ``train``, the same) with masks, ``valid`` without."""
    root = tmp_path / "mevis"
    masks: dict[str, list[dict[str, Any] | None]] = {}
    videos: dict[str, Any] = {}
    for number, (video, names) in enumerate(FRAMES.items()):
        for object_id in OBJECTS[video]:
            track = [instances(video, index) == object_id for index in range(len(names))]
            masks[str(10 * number + object_id)] = [
                {"size": [HEIGHT, WIDTH], "counts": encode_mask(mask).counts.decode()}
                if mask.any()
                else None
                for mask in track
            ]
        videos[video] = {
            "expressions": {
                str(position): {
                    "exp": text,
                    "obj_id": objects,
                    "anno_id": [10 * number + object_id for object_id in objects],
                    "kind": kind,
                }
                for position, (text, objects, kind) in enumerate(EXPRESSIONS[video])
            },
            "vid_id": number,
            "frames": names,
        }
    blind = {
        video: entry
        | {"expressions": {key: {"exp": e["exp"]} for key, e in entry["expressions"].items()}}
        for video, entry in videos.items()
    }
    for split in ("train", "valid_u", "valid"):
        write_frames(root / split / "JPEGImages")
        content = {"videos": blind if split == "valid" else videos}
        write_json(root / split / "meta_expressions.json", content)
        if split != "valid":
            write_json(root / split / "mask_dict.json", masks)
    return root
