"""The digest of a model file or folder."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from brinery.errors import ModelFileChanged, ModelFileError
from brinery.pickles.digest import copy, digest, files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of three files, one of them within another."""
    made = tmp_path / "model"
    (made / "b").mkdir(parents=True)
    (made / "b" / "x").write_bytes(b"one")
    (made / "MLmodel").write_bytes(b"two")
    (made / "a.txt").write_bytes(b"")
    return made


def test_of_a_file(tmp_path: Path) -> None:
    """A file's digest is that of its bytes."""
    (tmp_path / "f").write_bytes(b"abc")
    assert digest(tmp_path / "f") == hashlib.sha256(b"abc").hexdigest()


def test_of_a_folder(folder: Path) -> None:
    """A folder's digest is that of what sha256sum prints of its files, sorted by name."""
    names = [path.relative_to(folder).as_posix() for path in files(folder)]
    assert names == ["MLmodel", "a.txt", "b/x"]
    printed = subprocess.run(
        ["sha256sum", *names], cwd=folder, capture_output=True, check=True
    ).stdout
    assert digest(folder) == hashlib.sha256(printed).hexdigest()


def test_a_copy_is_what_was_asked_for(folder: Path, tmp_path: Path) -> None:
    """A copy of a file or folder has its digest."""
    copy(folder, tmp_path / "copy", sha256=digest(folder))
    assert digest(tmp_path / "copy") == digest(folder)
    copy(folder / "MLmodel", tmp_path / "one", sha256=digest(folder / "MLmodel"))
    assert (tmp_path / "one").read_bytes() == b"two"


@pytest.mark.parametrize("change", ["content", "name", "more", "less"])
def test_a_change_is_noticed(folder: Path, tmp_path: Path, change: str) -> None:
    """A file that is changed, renamed, added or removed makes another folder."""
    sha256 = digest(folder)
    match change:
        case "content":
            (folder / "b" / "x").write_bytes(b"One")
        case "name":
            (folder / "b" / "x").rename(folder / "b" / "y")
        case "more":
            (folder / "b" / "z").touch()
        case "less":
            (folder / "a.txt").unlink()
    with pytest.raises(ModelFileChanged, match="not the file it was"):
        copy(folder, tmp_path / "copy", sha256=sha256)


def test_compiled_modules_are_no_part(folder: Path, tmp_path: Path) -> None:
    """What a program that imports a module of it leaves there changes nothing, nor is copied."""
    before = digest(folder)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "tables.cpython-311.pyc").write_bytes(b"compiled")
    assert digest(folder) == before
    copy(folder, tmp_path / "copied", sha256=before)
    assert not (tmp_path / "copied" / "__pycache__").exists()
    assert folder / "__pycache__" / "tables.cpython-311.pyc" in list(files(folder))


def test_a_link_is_refused(folder: Path) -> None:
    """A link within a folder leads out of it, and is no file of a model."""
    (folder / "b" / "link").symlink_to("/etc/hostname")
    with pytest.raises(ModelFileError, match="link"):
        digest(folder)


def test_a_pipe_is_refused(folder: Path) -> None:
    """What would block a reader for ever is refused."""
    os.mkfifo(folder / "pipe")
    with pytest.raises(ModelFileError, match="device"):
        digest(folder)


def test_what_is_not_there(tmp_path: Path) -> None:
    """A file that is missing is an error of the file."""
    with pytest.raises(ModelFileError, match="cannot be read"):
        digest(tmp_path / "none")


def test_a_copy_writes_over_nothing(folder: Path, tmp_path: Path) -> None:
    """What lies where a copy is to be is not written over."""
    (tmp_path / "there").write_bytes(b"mine")
    with pytest.raises(ModelFileError):
        copy(folder / "MLmodel", tmp_path / "there", sha256=digest(folder / "MLmodel"))
    assert (tmp_path / "there").read_bytes() == b"mine"
