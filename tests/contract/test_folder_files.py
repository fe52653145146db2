"""The files of managed folders: one contract, on the disk and wherever fsspec reaches."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.buckets import Buckets

from brinery.errors import DataFileMissing, InvalidReference
from brinery.store.folder_files import FolderFiles, LocalFolder, folder_files

ROOT = Path(__file__).parents[2]


# Where the folder of these tests lies, for a process in which s3fs is installed.
FAR = os.environ.get("TESTED_FOLDER", "")  # noqa: TID251 - told by the test below


@pytest.fixture(params=["far"] if FAR else ["local", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> FolderFiles:
    """A folder that is empty."""
    if request.param == "local":
        return folder_files("", tmp_path / "abcdefgh")
    if request.param == "memory":
        return folder_files(f"memory://{tmp_path.name}", tmp_path)
    return folder_files(f"{FAR}/{tmp_path.name}", tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(bool(FAR), reason="this process is the one that it starts")
def test_a_bucket_keeps_the_same_contract(tmp_path: Path, buckets: Buckets) -> None:
    """All of these tests hold of a folder in a bucket, in an environment that has s3fs."""
    python = tmp_path / "environment" / "bin" / "python"
    packages = ("s3fs", "msgspec", "urllib3", "pyyaml", "pytest")
    for command in (
        ["venv", "--quiet", "--python", sys.executable, str(tmp_path / "environment")],
        ["pip", "install", "--quiet", "--python", str(python), *packages],
    ):
        subprocess.run([sys.executable, "-m", "uv", *command], check=True)
    options = ["-q", "--noconftest", "-c", os.devnull, "-p", "no:cacheprovider"]
    done = subprocess.run(
        [str(python), "-m", "pytest", *options, __file__],
        env={
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
            "PATH": os.defpath,
            "TESTED_FOLDER": f"{buckets.bucket()}/folders",
            **buckets.environ,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert " failed" not in done.stdout
    assert "1 skipped" in done.stdout


def test_a_file_is_written_in_place_of_another(files: FolderFiles) -> None:
    """What was written last is read, with a slash before its path or without."""
    files.write("/models/a.pkl", io.BytesIO(b"first"))
    files.write("models/a.pkl", io.BytesIO(b"second"))
    with files.open("/models/a.pkl") as stream:
        assert stream.read() == b"second"
    assert files.paths() == ["/models/a.pkl"]


def test_entries_tell_what_lies_at_a_path(files: FolderFiles) -> None:
    """A file has its size, a directory what is in it, and what is not there is told so."""
    files.write("models/a.pkl", io.BytesIO(b"12345"))
    files.write("b.txt", io.BytesIO(b"1"))
    top = files.entry("/")
    assert [(one.path, one.directory) for one in top.children] == [
        ("/b.txt", False),
        ("/models", True),
    ]
    (child,) = files.entry("/models").children
    assert (child.path, child.size_bytes) == ("/models/a.pkl", 5)
    assert files.entry("/models/a.pkl").modified_ms > 0
    assert not files.entry("/models/z").exists


def test_what_is_deleted_is_gone(files: FolderFiles) -> None:
    """One file, or all below a path, are removed; names that begin alike are not."""
    for name in ("a/1", "a/2", "ab", "c"):
        files.write(name, io.BytesIO(b"x"))
    assert files.delete("/a") == 2
    assert files.delete("/c") == 1
    assert files.delete("/none") == 0
    assert files.paths() == ["/ab"]
    assert files.delete("/") == 1


def test_a_missing_file_names_the_nearest(files: FolderFiles) -> None:
    """A path that is not there is an error that names the one that was meant."""
    files.write("pipeline.pkl", io.BytesIO(b"x"))
    with pytest.raises(DataFileMissing, match=r"did you mean /pipeline\.pkl"):
        files.open("pipline.pkl")


@pytest.mark.parametrize("path", ["../a", "/a/../../b", "a\0b"])
def test_no_path_leads_out_of_the_folder(files: FolderFiles, path: str) -> None:
    """What would lead elsewhere is refused, to be read and to be written."""
    with pytest.raises(InvalidReference):
        files.open(path)
    with pytest.raises(InvalidReference):
        files.write(path, io.BytesIO(b"x"))


def test_a_writer_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """A stream that breaks leaves what was there, and nothing beside it."""

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(f"the pipe broke at {size}")

    files = LocalFolder(tmp_path)
    files.write("a", io.BytesIO(b"old"))
    with pytest.raises(Exception, match="the pipe broke"):
        files.write("a", Broken())
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["a"]
