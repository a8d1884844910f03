import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.preparation import ArchiveLimits, PreparationError
from rvos.datasets.preparation.archives import unpack_archive, unpack_archives
from rvos.datasets.preparation.outputs import PreparedFolder

LIMITS = ArchiveLimits(10**6)
CONTENT = {"train/JPEGImages/aa/00000.jpg": b"frame" * 100, "train/meta.json": b"{}", "a b": b""}
Build = Callable[[Path, dict[str, bytes]], None]


def build_zip(path: Path, content: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def build_tar(path: Path, content: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def build(path: Path, content: dict[str, bytes]) -> Path:
    (build_zip if path.suffix == ".zip" else build_tar)(path, content)
    return path


def files(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_archives_are_unpacked_and_stay(tmp_path: Path, name: str) -> None:
    archive = build(tmp_path / name, CONTENT)
    folder = PreparedFolder(tmp_path)
    unpack_archives(folder, LIMITS)
    assert files(tmp_path) == CONTENT | {name: archive.read_bytes()}
    assert folder.results == {name: "extracted"}
    unpack_archives(folder, LIMITS)
    assert folder.results == {name: "up to date"}


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
@given(
    escape=st.sampled_from(["../x", "a/../../x", "/x", "..", "a/..", "a\\..\\x", "C:/x"]),
    position=st.integers(0, 3),
)
def test_names_that_lead_out_write_nothing(
    tmp_path_factory: pytest.TempPathFactory, name: str, escape: str, position: int
) -> None:
    folder = tmp_path_factory.mktemp("outer")
    target = folder / "root"
    target.mkdir()
    items = list(CONTENT.items())
    items.insert(position, (escape, b"evil"))
    archive = build(folder / name, dict(items))
    with pytest.raises(PreparationError, match=r"is not unpacked: its member"):
        unpack_archive(archive, target, LIMITS)
    assert files(folder).keys() == {name}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("train/link")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(PreparationError, match="link or a device"):
        unpack_archive(path, tmp_path, LIMITS)
    assert not (tmp_path / "train").exists()


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("train/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(PreparationError, match="link or a device"):
        unpack_archive(path, tmp_path, LIMITS)


def test_link_that_is_there_already_is_not_followed(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    (root / "train").symlink_to(outside)
    archive = build(tmp_path / "a.zip", CONTENT)
    with pytest.raises(PreparationError, match="link out of"):
        unpack_archive(archive, root, LIMITS)
    assert not files(outside)


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_what_is_too_large_is_refused_before_it_is_written(tmp_path: Path, name: str) -> None:
    archive = build(tmp_path / name, {"train/zeros": bytes(1001), "b": b""})
    with pytest.raises(PreparationError, match=r"more than.*--max-gigabytes"):
        unpack_archive(archive, tmp_path, ArchiveLimits(1000))
    assert files(tmp_path).keys() == {name}
    assert unpack_archive(archive, tmp_path, ArchiveLimits(1001)) == 2


def test_size_in_the_header_is_not_believed(tmp_path: Path) -> None:
    """A member that claims fewer bytes than it unpacks to."""
    archive = build(tmp_path / "a.zip", {"zeros": bytes(100_000)})
    data = archive.read_bytes().replace((100_000).to_bytes(4, "little"), (9).to_bytes(4, "little"))
    archive.write_bytes(data)
    with pytest.raises(PreparationError, match="damaged"):
        unpack_archive(archive, tmp_path, ArchiveLimits(1000))
    assert not (tmp_path / "zeros").exists()


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
@pytest.mark.parametrize("kept", [0.3, 0.7])
def test_damaged_archive_is_named(tmp_path: Path, name: str, kept: float) -> None:
    content = {"a": os.urandom(20_000), "b": os.urandom(20_000)}
    archive = build(tmp_path / name, content)
    data = archive.read_bytes()
    archive.write_bytes(data[: int(kept * len(data))])
    with pytest.raises(PreparationError, match=rf"{name} cannot be unpacked"):
        unpack_archive(archive, tmp_path, LIMITS)
    assert {k: v for k, v in files(tmp_path).items() if k in content}.items() <= content.items()


def test_other_files_are_not_replaced(tmp_path: Path) -> None:
    archive = build(tmp_path / "a.zip", CONTENT)
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "meta.json").write_text("mine")
    with pytest.raises(PreparationError, match=r"meta\.json is there already and differs"):
        unpack_archive(archive, tmp_path, LIMITS)
    assert (tmp_path / "train" / "meta.json").read_text() == "mine"


@given(stop=st.integers(0, 2))
def test_interrupted_unpacking_goes_on(tmp_path_factory: pytest.TempPathFactory, stop: int) -> None:
    root = tmp_path_factory.mktemp("root")
    archive = build(root / "a.zip", CONTENT)
    written = []
    with pytest.MonkeyPatch.context() as patch:
        replace = Path.replace

        def interrupted(self: Path, target: Path) -> Path:
            if len(written) == stop:
                raise KeyboardInterrupt
            written.append(target)
            return replace(self, target)

        patch.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            unpack_archive(archive, root, LIMITS)
    assert unpack_archive(archive, root, LIMITS) == len(CONTENT) - stop
    assert {name: data for name, data in files(root).items() if name in CONTENT} == CONTENT
