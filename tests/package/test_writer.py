"""Packages on disk: whole or not at all, the same bytes for the same files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from brinery.errors import InvalidPackage
from brinery.package import writer

FILES = {"main.py": b"print()\n", "a/b.txt": b"b"}


def test_the_same_files_are_the_same_bytes(tmp_path: Path) -> None:
    """Order and time make no difference to an archive."""
    other = dict(reversed(FILES.items()))
    assert writer.archive(FILES) == writer.archive(other)
    writer.place(tmp_path / "one", FILES)
    writer.place(tmp_path / "two", other)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert (tmp_path / "one" / "a" / "b.txt").read_bytes() == b"b"
    with zipfile.ZipFile(tmp_path / "one.zip") as packed:
        assert [entry.date_time[0] for entry in packed.infolist()] == [1980, 1980]


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    """What lies in the folder is named, and nothing is written."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(InvalidPackage, match=r"is not empty: it holds mine\.txt"):
        writer.place(tmp_path / "out", FILES)
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "mine.txt"]


def test_an_archive_that_is_there_is_left_alone(tmp_path: Path) -> None:
    """An archive beside the folder is not replaced."""
    (tmp_path / "out.zip").write_text("mine")
    with pytest.raises(InvalidPackage, match="is there already"):
        writer.place(tmp_path / "out", FILES)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """A file where a folder would be is the user's to mend."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidPackage, match="cannot be written to"):
        writer.place(tmp_path / "file" / "out", FILES)


@pytest.mark.parametrize("name", ["../out.txt", "/out.txt", "a/../../out.txt", "..\\out.txt"])
def test_an_archive_does_not_lead_out_of_its_folder(tmp_path: Path, name: str) -> None:
    """An entry that would be written elsewhere is refused before anything is written."""
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as packed:
        packed.writestr(name, "x")
    (tmp_path / "into").mkdir()
    with pytest.raises(InvalidPackage, match="leads out of it") as caught:
        writer.unpack(tmp_path / "bad.zip", into=tmp_path / "into")
    assert list((tmp_path / "into").iterdir()) == []
    assert caught.value.hint


def test_an_archive_that_would_fill_the_disk_is_refused(tmp_path: Path) -> None:
    """A small archive of a great many zeros is not unpacked."""
    with (
        zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as packed,
        packed.open("zeros", "w") as entry,
    ):
        for _ in range(11):
            entry.write(bytes(100 << 20))
    with pytest.raises(InvalidPackage, match="unpacks to"):
        writer.unpack(tmp_path / "bomb.zip", into=tmp_path)


def test_what_is_no_package_is_said(tmp_path: Path) -> None:
    """A missing file and one that is no zip file are told apart."""
    with pytest.raises(InvalidPackage, match="there is no"):
        writer.unpack(tmp_path / "none.zip", into=tmp_path)
    (tmp_path / "text.zip").write_text("text")
    with pytest.raises(InvalidPackage, match="is no package"):
        writer.unpack(tmp_path / "text.zip", into=tmp_path)
