"""Files that try to run code, to leave their folder, or to fill the memory, for every reader."""

import json
import os
import pickle
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

from rvos.cli import main
from rvos.datasets.a2d_files import read_instances
from rvos.datasets.errors import DatasetError
from rvos.datasets.files import read_frame, read_frame_size, read_object_ids
from rvos.datasets.jhmdb_files import read_puppet_masks
from rvos.datasets.plain_pickle import read_plain_pickle
from rvos.datasets.preparation.archives import ArchiveLimits, unpack_archive
from rvos.datasets.refcoco import RefCOCODataset
from rvos.datasets.refcoco_files import read_references
from rvos.datasets.video_frames import read_video_frames
from rvos.inference.video_io import open_video
from rvos.layers.described import build
from rvos.models.grounding_dino.architectures import architecture
from rvos.models.grounding_dino.pretrained import load_grounder
from rvos.models.loading import load_model
from rvos.structures.errors import RvosError


class Evil:
    """Leaves a file when it is unpickled."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.witness}",)


@pytest.fixture
def witness(tmp_path: Path) -> Path:
    return tmp_path / "it-was-run"


def run_it(content: bytes, witness: Path) -> None:
    """The file would do harm in a reader that trusts it."""
    pickle.loads(content)
    assert witness.exists()
    witness.unlink()


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "released ReferDINO": lambda evil: {"model": {"a": torch.ones(1), "b": evil}},
    "IDEA": lambda evil: {"model": {"module.bert.x": torch.ones(1)}, "args": evil},
    "Lightning": lambda evil: {
        "pytorch-lightning_version": "2.6.6",
        "state_dict": {"model.a": torch.ones(1)},
        "callbacks": evil,
        "rvos_model": {"description": {}, "tokenizer": None},
    },
    "bare": lambda evil: evil,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("suffix", [".pth", ".pt", ".ckpt"])
def test_checkpoints_run_nothing(
    layout: str, zipped: bool, suffix: str, tmp_path: Path, witness: Path
) -> None:
    content = LAYOUTS[layout](Evil(witness))
    run_it(pickle.dumps(content), witness)
    path = tmp_path / f"weights{suffix}"
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(RvosError, match="nothing was run"):
        load_model(path)
    if suffix != ".ckpt":
        with pytest.raises(RvosError, match="nothing was run"):
            load_grounder(path)
    assert main(["convert", str(path), str(tmp_path / "out")]) == 1
    assert not witness.exists()


@pytest.mark.parametrize("protocol", range(6))
def test_references_run_nothing(tmp_path: Path, witness: Path, protocol: int) -> None:
    content = pickle.dumps([{"ref_id": 1, "split": Evil(witness)}], protocol)
    run_it(content, witness)
    path = tmp_path / "refcoco" / "refs(unc).p"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"system, which is refused because it could run code"):
        read_references(tmp_path, "refcoco")
    assert not witness.exists()


@pytest.mark.parametrize(
    "content",
    [
        # Numbers its first value 2 ** 31 - 1, for which the unpickler in C takes 34 GB.
        b"\x80\x02}r\xff\xff\xff\x7f.",
        # Claims a text of 2 ** 62 bytes.
        b"\x80\x04\x8d" + (2**62).to_bytes(8, "little") + b"a.",
        # A list of two lists of two lists ..., small here and endless as text.
        b"\x80\x02"
        + b"]q\x00(h\x00h\x00e" * 1
        + b"".join(b"]q%c(h%ch%ce" % (i, i - 1, i - 1) for i in range(1, 60))
        + b".",
    ],
)
def test_references_do_not_fill_the_memory(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "refcoco" / "refs(unc).p"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"refs\(unc\)\.p is malformed"):
        read_references(tmp_path, "refcoco")


def test_numbering_alone_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "refs.p"
    path.write_bytes(b"\x80\x02}r\xff\xff\xff\x7f.")
    assert read_plain_pickle(path, "RefCOCO") == {}


EVIL_CLASSES = [
    "os.system",
    "subprocess.Popen",
    "builtins.eval",
    "rvos.checkpoints.files.os.system",
    "rvos..os.system",
    "rvosevil.Module",
    "evil.Module",
]


@pytest.fixture
def model_folder(nano_weights: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(nano_weights, tmp_path / "model"))


@pytest.mark.parametrize("class_path", EVIL_CLASSES)
def test_configurations_name_no_foreign_class(
    model_folder: Path, class_path: str, witness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What stands beside the weights is not imported either.
    (model_folder / "evil.py").write_text(f"open({str(witness)!r}, 'w')\nclass Module: pass\n")
    (model_folder / "rvosevil.py").write_text(f"open({str(witness)!r}, 'w')\nclass Module: pass\n")
    monkeypatch.syspath_prepend(str(model_folder))
    monkeypatch.chdir(model_folder)
    config = json.loads((model_folder / "config.json").read_text())
    evil = {"class_path": class_path, "init_args": {"command": f"touch {witness}"}}
    for place in ("model", "mask_head"):
        changed = json.loads(json.dumps(config))
        if place == "model":
            changed["model"] = evil
        else:
            changed["model"]["init_args"][place] = evil
        (model_folder / "config.json").write_text(json.dumps(changed))
        with pytest.raises(RvosError, match="config names"):
            load_model(model_folder)
    assert not witness.exists()


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("auto_map", {"AutoModel": "evil.Model"}),
        ("_attn_implementation", "somebody/attention-kernel"),
        ("attn_implementation", "somebody/attention-kernel"),
        ("use_pretrained_backbone", True),
        ("backbone", "somebody/backbone"),
        ("quantization_config", {"quant_method": "aqlm"}),
        ("trust_remote_code", True),
    ],
)
@pytest.mark.parametrize("part", [None, "text_config", "backbone_config"])
def test_configurations_of_transformers_fetch_nothing(
    entry: str, value: Any, part: str | None, small_released_model: dict[str, Any]
) -> None:
    arguments = json.loads(json.dumps(small_released_model))
    (arguments if part is None else arguments[part])[entry] = value
    with pytest.raises(RvosError, match=f"config asks for {entry}"):
        architecture(arguments)


def test_tokenizers_bring_no_code(model_folder: Path, witness: Path) -> None:
    (model_folder / "evil.py").write_text(f"open({str(witness)!r}, 'w')\nclass Evil: pass\n")
    path = model_folder / "tokenizer_config.json"
    config = json.loads(path.read_text())
    config["auto_map"] = {"AutoTokenizer": ["evil.Evil", "evil.Evil"]}
    config["tokenizer_class"] = "Evil"
    path.write_text(json.dumps(config))
    with pytest.raises(RvosError, match="holds no tokenizer that can be read"):
        load_model(model_folder).tokenize(["the red square"])
    assert not witness.exists()


@pytest.mark.parametrize("depth", [60, 5000])
def test_descriptions_are_built_in_bounded_time(depth: int) -> None:
    """Parts that hold one another twice: 2 ** depth of them, in a few entries of a checkpoint."""
    part: Any = {"class_path": "rvos.models.referdino.MemoryAugmentedTracker", "init_args": {}}
    for _ in range(depth):
        part = {
            "class_path": "rvos.models.referdino.ReferDINO",
            "init_args": {"a": part, "b": part},
        }
    with pytest.raises(RvosError, match="describes no model"):
        build(part)


@pytest.mark.parametrize("number", [10**9, float("inf"), float("nan"), -(10**30)])
def test_descriptions_hold_no_endless_numbers(number: float) -> None:
    part = {
        "class_path": "rvos.models.referdino.CrossModalTemporalDecoder",
        "init_args": {"hidden_dim": 32, "num_layers": number},
    }
    with pytest.raises(RvosError, match="holds the number"):
        build(part)


def test_models_have_a_bounded_number_of_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rvos.layers.described.MOST_MODULES", 100)
    part = {
        "class_path": "rvos.models.referdino.CrossModalTemporalDecoder",
        "init_args": {"hidden_dim": 32, "num_layers": 1000},
    }
    with pytest.raises(RvosError, match="more than 100 modules"):
        build(part)


def test_tensors_are_no_larger_than_their_file(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"model": {"a": torch.ones(1).expand(10**6, 10**6)}}, path)
    assert path.stat().st_size < 10_000
    with pytest.raises(RvosError, match=r"claim 3814697 MiB of tensors"):
        load_model(path)


def png_claiming(width: int, height: int) -> bytes:
    """A sound PNG but for its size: a few bytes, decoded into as many as it claims."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", bytes(768)),
        (b"IDAT", zlib.compress(bytes(1000))),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


PICTURE_READERS: dict[str, Callable[[Path], Any]] = {
    "frames": read_frame,
    "annotations": read_object_ids,
    "sizes": read_frame_size,
    "videos": lambda path: list(open_video(path)),
}


@pytest.mark.parametrize("reader", PICTURE_READERS)
@pytest.mark.parametrize("size", [(8193, 8192), (100_000, 100_000), (2**31 - 1, 2**31 - 1)])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_pictures_that_claim_too_many_pixels(
    reader: str, size: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_claiming(*size))
    with pytest.raises(RvosError, match=r"bomb\.png cannot be .*RVOS_MAX_PIXELS"):
        PICTURE_READERS[reader](path)


def test_limit_of_pixels_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "frame.png"
    Image.new("RGB", (30, 20)).save(path)
    monkeypatch.setenv("RVOS_MAX_PIXELS", "599")
    with pytest.raises(RvosError, match="30x20 pixels, more than 599"):
        read_frame(path)
    monkeypatch.setenv("RVOS_MAX_PIXELS", "600")
    assert read_frame(path).shape == (20, 30, 3)
    monkeypatch.setenv("RVOS_MAX_PIXELS", "many")
    with pytest.raises(RvosError, match="set it to a number of pixels"):
        read_frame(path)


@pytest.mark.parametrize("reader", PICTURE_READERS)
def test_pictures_start_no_other_program(
    reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow hands EPS to Ghostscript, whatever the file is called."""
    started: list[object] = []
    monkeypatch.setattr("subprocess.check_call", started.append)
    monkeypatch.setattr("PIL.EpsImagePlugin.has_ghostscript", lambda: True)
    path = tmp_path / "frame.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n")
    with pytest.raises(RvosError, match=r"frame\.png"):
        PICTURE_READERS[reader](path)
    assert started == []


def write_clip(path: Path) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.height, stream.width, stream.pix_fmt = 32, 48, "yuvj420p"
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 48, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


VIDEO_READERS: dict[str, Callable[[Path], Any]] = {
    "inference": lambda path: list(open_video(path)),
    "data sets": lambda path: read_video_frames(path, [0]),
}


@pytest.mark.parametrize("reader", VIDEO_READERS)
@pytest.mark.parametrize(
    "playlist",
    [
        "ffconcat version 1.0\nfile secret.mkv\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mkv\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    ],
)
def test_videos_open_no_other_file(reader: str, playlist: str, tmp_path: Path) -> None:
    write_clip(tmp_path / "secret.mkv")
    VIDEO_READERS[reader](tmp_path / "secret.mkv")
    path = tmp_path / "clip.mp4"
    path.write_text(playlist)
    with pytest.raises(RvosError, match=r"clip\.mp4 cannot be"):
        VIDEO_READERS[reader](path)


@pytest.mark.parametrize("reader", VIDEO_READERS)
def test_videos_of_too_large_frames(
    reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "clip.mkv"
    write_clip(path)
    monkeypatch.setenv("RVOS_MAX_PIXELS", "1535")
    with pytest.raises(RvosError, match=r"clip\.mkv .*48x32 pixels, more than 1535"):
        VIDEO_READERS[reader](path)


def test_h5_files_claim_no_memory_and_open_no_other_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["reMask"] = np.ones((4, 6), np.uint8)
    (tmp_path / "raw").write_bytes(bytes(24))

    def write(name: str, masks: Callable[[h5py.File], None]) -> Path:
        path = tmp_path / f"{name}.h5"
        with h5py.File(path, "w") as file:
            file["instance"], file["reBBox"] = np.array([0]), np.ones(4)
            masks(file)
        return path

    def link(file: h5py.File) -> None:
        file["reMask"] = h5py.ExternalLink(str(secret), "reMask")

    def soft(file: h5py.File) -> None:
        file["reMask"] = h5py.SoftLink("/instance")

    def external(file: h5py.File) -> None:
        stored = [(str(tmp_path / "raw"), 0, 24)]
        file.create_dataset("reMask", (4, 6), np.uint8, external=stored)

    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((4, 6), np.uint8)
        layout[:] = h5py.VirtualSource(str(secret), "reMask", (4, 6))
        file.create_virtual_dataset("reMask", layout)

    def huge(file: h5py.File) -> None:
        file.create_dataset("reMask", (10**6, 10**6), np.uint8, chunks=(100, 100))

    for make, reason in (
        (link, "another place or file"),
        (soft, "another place or file"),
        (external, "another file"),
        (virtual, "another file"),
        (huge, "claims 1000000000000 numbers"),
    ):
        path = write(make.__name__, make)
        with pytest.raises(DatasetError, match=rf"{make.__name__}\.h5 is malformed .*{reason}"):
            read_instances(path)


def test_mat_files_claim_no_memory(tmp_path: Path) -> None:
    from scipy.io import savemat

    path = tmp_path / "puppet_mask.mat"
    savemat(path, {"part_mask": np.ones((4, 6, 2), np.uint8)})
    content = path.read_bytes()
    sound = struct.pack("<iii", 4, 6, 2)
    assert content.count(sound) == 1
    path.write_bytes(content.replace(sound, struct.pack("<iii", 40_000, 60_000, 2000)))
    with pytest.raises(DatasetError, match="claim 40000 x 60000 x 2000 values"):
        read_puppet_masks(path)


@pytest.mark.parametrize("name", ["../../x.jpg", "/etc/passwd", "a/b.jpg", "a\\b", "a\0b", "", "."])
def test_file_names_of_refcoco_stay_in_their_folder(name: str, refcoco_root: Path) -> None:
    path = refcoco_root / "refcoco" / "instances_refcoco_val.json"
    content = json.loads(path.read_text())
    content["images"][0]["file_name"] = name
    path.write_text(json.dumps(content))
    with pytest.raises(DatasetError, match="no plain file name"):
        RefCOCODataset(refcoco_root, "refcoco", "val")


def test_archives_that_grow_too_much_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zipfile

    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("zeros", "w", force_zip64=True) as member,
    ):
        for _ in range(20):
            member.write(bytes(1 << 20))
    # Small archives may grow as they like, up to a gigabyte.
    monkeypatch.setattr("rvos.datasets.preparation.archives._GIGABYTE", 1_000_000)
    assert path.stat().st_size < 50_000
    with pytest.raises(RvosError, match=r"more than the .* that are allowed.*--max-gigabytes"):
        unpack_archive(path, tmp_path, ArchiveLimits())
    assert [each.name for each in tmp_path.iterdir()] == ["bomb.zip"]
