import io
import tarfile
import zipfile
from pathlib import Path

from rvos.datasets.preparation.archive_members import list_members, open_member, opened_archive


def test_zip_and_tar_list_the_same(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        zipped.mkdir("train")
        zipped.writestr("train/a", b"12345")
    with tarfile.open(tmp_path / "a.tar", "w") as tape:
        folder = tarfile.TarInfo("train/")
        folder.type = tarfile.DIRTYPE
        tape.addfile(folder)
        member = tarfile.TarInfo("train/a")
        member.size = 5
        tape.addfile(member, io.BytesIO(b"12345"))
    for name in ("a.zip", "a.tar"):
        with opened_archive(tmp_path / name) as archive:
            members = list_members(archive)
            assert [(m.name.rstrip("/"), m.num_bytes, m.kind) for m in members] == [
                ("train", 0, "folder"),
                ("train/a", 5, "file"),
            ]
            with open_member(archive, members[1]) as stream:
                assert stream.read() == b"12345"
