"""Weight files: what is written can be read, what is broken is refused, and no code ever runs."""

import argparse
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from rvos.checkpoints.files import (
    CheckpointError,
    read_folder,
    read_pickled_weights,
    write_folder,
)


class Evil:
    """Writes a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_come_back(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "weights.pth"
    content = {"model": {"a": torch.arange(3.0)}, "epoch": 3}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    read = read_pickled_weights(path)
    assert read["epoch"] == 3
    assert torch.equal(read["model"]["a"], torch.arange(3.0))


@pytest.mark.parametrize("by", ["torch", "pickle"])
def test_code_in_a_file_is_refused_and_not_run(tmp_path: Path, by: str) -> None:
    path, trace = tmp_path / "weights.pth", tmp_path / "trace"
    content = {"model": {"a": torch.zeros(1)}, "evil": Evil(trace)}
    if by == "torch":
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content))
    with pytest.raises(CheckpointError, match=r"weights\.pth cannot .* nothing was run$") as caught:
        read_pickled_weights(path)
    assert len(str(caught.value).splitlines()) == 1
    assert not trace.exists()


class Sneaky(argparse.Namespace):
    """Looks like options; writes a file when unpickled."""

    def __init__(self, path: Path) -> None:
        super().__init__(path=str(path))

    def __reduce__(self) -> Any:
        return (os.system, (f"touch {self.path}",))


def test_code_among_the_options_is_refused_and_not_run(tmp_path: Path) -> None:
    path, trace = tmp_path / "weights.pth", tmp_path / "trace"
    options = argparse.Namespace(lr=1e-4, hidden=Sneaky(trace))
    torch.save({"model": {"a": torch.zeros(1)}, "args": options}, path)
    with pytest.raises(CheckpointError, match=r"they hold \w+\.system, which could run code"):
        read_pickled_weights(path)
    assert not trace.exists()


def test_options_of_argparse_are_data(tmp_path: Path) -> None:
    options = argparse.Namespace(lr=1e-4, names=["a"], nested=argparse.Namespace(flag=True))
    torch.save({"model": {"a": torch.zeros(1)}, "args": options}, tmp_path / "weights.pth")
    assert read_pickled_weights(tmp_path / "weights.pth")["args"] == options
    # Nothing stays allowed for the rest of the process.
    assert argparse.Namespace not in torch.serialization.get_safe_globals()


def test_other_classes_are_refused(tmp_path: Path) -> None:
    options = argparse.Namespace(path=tmp_path)
    torch.save({"model": {"a": torch.zeros(1)}, "args": options}, tmp_path / "weights.pth")
    with pytest.raises(CheckpointError, match=r"pathlib\.\w+, which could run code"):
        read_pickled_weights(tmp_path / "weights.pth")


def test_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"a": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_pickled_weights(path)


@pytest.mark.parametrize("content", [b"", b"not weights at all"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_pickled_weights(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="do not exist; check the path"):
        read_pickled_weights(tmp_path / "missing.pth")


def test_list_is_no_checkpoint(tmp_path: Path) -> None:
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    with pytest.raises(CheckpointError, match="hold a list"):
        read_pickled_weights(tmp_path / "list.pth")


def test_folder_round_trip(tmp_path: Path) -> None:
    tensors = {"a": torch.randn(3, 4).T, "count": torch.tensor([3])}
    # Two names of one tensor.
    tensors["b"] = tensors["a"]
    write_folder(tmp_path / "new", {"model": {"x": 1}}, tensors)
    config, read = read_folder(tmp_path / "new")
    assert config == {"model": {"x": 1}}
    assert read.keys() == tensors.keys()
    assert all(torch.equal(read[name], value) for name, value in tensors.items())


def test_whoever_may_read_the_configuration_may_read_the_weights(tmp_path: Path) -> None:
    write_folder(tmp_path, {}, {"a": torch.zeros(1)})
    config, weights = ((tmp_path / name).stat() for name in ("config.json", "model.safetensors"))
    assert weights.st_mode == config.st_mode


def test_only_floating_point_changes_type(tmp_path: Path) -> None:
    write_folder(tmp_path, {}, {"a": torch.ones(2), "n": torch.tensor([300])}, torch.float16)
    _, read = read_folder(tmp_path)
    assert read["a"].dtype == torch.float16
    assert read["n"].tolist() == [300]


def test_types_can_change_while_reading(tmp_path: Path) -> None:
    tensors = {f"a{number}": torch.full((2,), float(number)) for number in range(150)}
    write_folder(tmp_path, {}, {**tensors, "n": torch.tensor([3])}, torch.float16)
    _, read = read_folder(tmp_path, torch.float32)
    assert read.keys() == {*tensors, "n"}
    assert all(torch.equal(read[name], value) for name, value in tensors.items())
    assert read["n"].dtype == torch.int64


def test_interrupted_write_leaves_the_old_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(tmp_path, {"version": 1}, {"a": torch.zeros(2)})

    def interrupted(_tensors: object, path: Path, **_options: object) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("rvos.checkpoints.files.save_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path, {"version": 2}, {"a": torch.ones(2)})
    config, tensors = read_folder(tmp_path)
    assert config == {"version": 1}
    assert tensors["a"].tolist() == [0, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]


def test_unwritable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CheckpointError, match=r"cannot be written to .*choose another folder"):
        write_folder(tmp_path / "file" / "folder", {}, {"a": torch.zeros(1)})


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_incomplete_folder_names_what_is_missing(tmp_path: Path, name: str) -> None:
    write_folder(tmp_path, {}, {"a": torch.zeros(1)})
    (tmp_path / name).unlink()
    with pytest.raises(CheckpointError, match=f"lacks {name}"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", "{broken", "broken"),
        ("config.json", "[]", "holds a list, not a mapping"),
        ("model.safetensors", "nonsense", "broken"),
    ],
)
def test_broken_folder_is_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    write_folder(tmp_path, {}, {"a": torch.zeros(1)})
    (tmp_path / name).write_text(content)
    with pytest.raises(CheckpointError, match=message):
        read_folder(tmp_path)


def test_truncated_tensors_are_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, {}, {"a": torch.zeros(100)})
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-50])
    with pytest.raises(CheckpointError, match="broken"):
        read_folder(tmp_path)


def test_config_is_readable_text(tmp_path: Path) -> None:
    write_folder(tmp_path, {"model": {"class_path": "x"}}, {})
    text = (tmp_path / "config.json").read_text()
    assert text.endswith("}\n")
    assert json.loads(text)["model"]["class_path"] == "x"
