"""The store of outputs: kept once by content, read-only, checked before they are given again."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from brinery.records.job import Made
from brinery.store.fingerprints import Fingerprints, stamp_of
from brinery.store.outputs import Outputs, link, put
from brinery.store.snapshots import Snapshots, place_of


@pytest.fixture
def outputs(tmp_path: Path) -> Outputs:
    """Return an empty store."""
    return Outputs(tmp_path / "store", Fingerprints(tmp_path / "cache"))


def folder(place: Path, **files: str) -> str:
    """Return a folder with files."""
    place.mkdir(parents=True)
    for name, text in files.items():
        (place / name).write_text(text)
    return str(place)


def altered(path: str, text: str) -> None:
    """Write to a file of the store, as somebody who may do anything."""
    Path(path).chmod(0o644)
    Path(path).write_text(text)


def test_kept_once(outputs: Outputs, tmp_path: Path) -> None:
    """Equal outputs are kept once, under a path of their content, and what was made is gone."""
    first = outputs.keep(folder(tmp_path / "1" / "model", weights="1 2 3", names="a b"))
    second = outputs.keep(folder(tmp_path / "2" / "model", weights="1 2 3", names="a b"))
    other = outputs.keep(folder(tmp_path / "3" / "model", weights="1 2 4", names="a b"))
    assert first.content == second.content != other.content
    assert first.path == second.path
    assert (first.files, first.size_bytes, first.file) == (2, 8, False)
    assert Path(first.path, "weights").read_text() == "1 2 3"
    assert not (tmp_path / "1" / "model").exists()
    assert not (tmp_path / "2" / "model").exists()


def test_read_only(outputs: Outputs, tmp_path: Path) -> None:
    """Nothing in the store may be written to; a program stays one."""
    place = Path(folder(tmp_path / "made", program="#!/bin/sh"))
    (place / "program").chmod(0o755)
    (place / "empty").mkdir()
    made = Path(outputs.keep(str(place)).path)
    assert [oct(each.stat().st_mode & 0o777) for each in (made, made / "program")] == [
        "0o555",
        "0o555",
    ]
    assert (made / "empty").is_dir()


def test_altered_is_not_given(outputs: Outputs, tmp_path: Path) -> None:
    """What was altered is found so, put away, and can be made again."""
    made = outputs.keep(folder(tmp_path / "1" / "data", rows="1\n"))
    assert outputs.holds(made)
    altered(f"{made.path}/rows", "2\n")
    assert not outputs.holds(made)
    assert not Path(made.path).exists()
    again = outputs.keep(folder(tmp_path / "2" / "data", rows="1\n"))
    assert outputs.holds(again)
    assert not outputs.holds(
        Made(content="0", path="/no/such", file=True, size_bytes=0, files=1, stamp="0")
    )


def test_touched_is_read(outputs: Outputs, tmp_path: Path) -> None:
    """What only looks otherwise is read, and is given."""
    made = outputs.keep(folder(tmp_path / "data", rows="1\n"))
    os.utime(f"{made.path}/rows", ns=(1, 1))
    assert stamp_of(made.path) != made.stamp
    assert outputs.holds(made)
    assert outputs.same(made)


def test_links_lead_nowhere_else(outputs: Outputs, tmp_path: Path) -> None:
    """Links out of an output become what they led to; a file with other names is copied."""
    elsewhere = Path(folder(tmp_path / "elsewhere", shared="mine", big="data"))
    place = Path(folder(tmp_path / "made", own="own"))
    (place / "out").symlink_to(elsewhere / "big")
    (place / "folder").symlink_to(elsewhere)
    (place / "in").symlink_to("own")
    os.link(elsewhere / "shared", place / "shared")
    made = Path(outputs.keep(str(place)).path)
    assert not (made / "out").is_symlink()
    assert (made / "out").read_text() == "data"
    assert (made / "folder" / "shared").read_text() == "mine"
    assert (made / "in").read_text() == "own"
    assert os.access(elsewhere / "shared", os.W_OK)
    (elsewhere / "shared").write_text("changed")
    assert (made / "shared").read_text() == "mine"


def test_put_and_link(outputs: Outputs, tmp_path: Path) -> None:
    """A copy at a place of the user's may be written to, and leaves the store as it is."""
    made = outputs.keep(folder(tmp_path / "made" / "data", rows="1\n"))
    put(made, str(tmp_path / "place"))
    (tmp_path / "place" / "rows").write_text("2\n")
    put(made, str(tmp_path / "place"))
    assert (tmp_path / "place" / "rows").read_text() == "1\n"
    link(made.path, str(tmp_path / "deep" / "link"))
    link(made.path, str(tmp_path / "deep" / "link"))
    assert (tmp_path / "deep" / "link" / "rows").read_text() == "1\n"
    assert outputs.holds(made)
    outputs.sync([made])


def test_several_at_once(outputs: Outputs, tmp_path: Path) -> None:
    """Equal outputs that are kept at the same moment are kept once, and none is lost."""
    places = [folder(tmp_path / str(number) / "data", rows="1\n" * 5) for number in range(16)]
    kept: list[Made] = []
    threads = [
        threading.Thread(target=lambda place=place: kept.append(outputs.keep(place)))
        for place in places
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {made.content for made in kept} == {kept[0].content}
    assert len(kept) == 16
    assert all(outputs.holds(made) for made in kept)


def test_remembered_files_are_not_read(tmp_path: Path) -> None:
    """A file that looks as it did is not read again; one that does not is."""
    place = Path(folder(tmp_path / "data", a="1", b="2"))
    for name in "ab":
        os.utime(place / name, ns=(10**18, 10**18))
    fingerprints = Fingerprints(tmp_path / "cache")
    before = fingerprints.of(str(place))
    inode = (place / "a").stat().st_ino
    (place / "a").write_text("3")
    os.utime(place / "a", ns=(10**18, 10**18))
    assert (place / "a").stat().st_ino == inode
    assert fingerprints.of(str(place)).content == before.content  # nobody looked inside
    os.utime(place / "a", ns=(10**18, 10**18 + 1))
    assert fingerprints.of(str(place)).content != before.content


def test_trees_tell_names_and_kinds_apart(tmp_path: Path) -> None:
    """A tree's content is that of its names, its empty folders and what may be run in it."""
    fingerprints = Fingerprints(None)
    one = folder(tmp_path / "1", a="1", b="2")
    contents = [fingerprints.of(one).content]
    Path(one, "b").rename(Path(one, "c"))
    contents.append(fingerprints.of(one).content)
    Path(one, "empty").mkdir()
    contents.append(fingerprints.of(one).content)
    Path(one, "a").chmod(0o755)
    contents.append(fingerprints.of(one).content)
    Path(one, "back").symlink_to(one)
    assert len(set(contents)) == 4
    assert fingerprints.of(one).content == contents[-1]


def test_large_files(tmp_path: Path) -> None:
    """A file that is mapped into memory has the content that it has in pieces."""
    large, small = tmp_path / "large", tmp_path / "small"
    large.write_bytes(bytes(range(256)) * 8192)
    small.write_bytes(b"")
    found = Fingerprints(None).of(str(large))
    assert found.size_bytes == 2 << 20
    assert Fingerprints(None).of(str(small)).content != found.content
    large.write_bytes(bytes(range(256)) * 8191 + b"\0" * 256)
    assert Fingerprints(None).of(str(large)).content != found.content


def test_snapshots(tmp_path: Path) -> None:
    """Code is what the ignore file leaves; its copy may be written to and leads nowhere back."""
    code = Path(folder(tmp_path / "code", **{"train.py": "x", "notes.tmp": "y"}))
    (code / ".gitignore").write_text("*.py\n")
    (code / ".amlignore").write_text("*.tmp\n/data/\n")
    folder(code / "data", rows="1")
    folder(code / "__pycache__", old="1")
    folder(code / "deep" / "data", rows="1")
    shared = Path(folder(tmp_path / "shared", common="z"))
    (code / "linked").symlink_to(shared)
    (code / "train.py").chmod(0o444)
    snapshots = Snapshots(Fingerprints(None))
    content, files = snapshots.look(str(code), [str(shared), str(shared / "common")])
    assert set(files) == {
        ".amlignore",
        ".gitignore",
        "common",
        "deep/data/rows",
        "linked/common",
        "shared/common",
        "train.py",
    }
    target = Path(folder(tmp_path / "copy"))
    snapshots.copy(str(code), [str(shared), str(shared / "common")], target=str(target))
    assert {str(each.relative_to(target)) for each in target.rglob("*") if each.is_file()} == set(
        files
    )
    (target / "train.py").write_text("altered")
    (target / "linked" / "common").write_text("altered")
    assert (code / "train.py").read_text() == "x"
    assert (shared / "common").read_text() == "z"
    assert place_of(str(code), [str(shared)], name="train.py") == str(code / "train.py")
    (code / "notes.tmp").write_text("changed")
    assert Snapshots(Fingerprints(None)).look(str(code), [])[0] != content
    only = Snapshots(Fingerprints(None)).look(str(code))[0]
    (code / "train.py").chmod(0o644)
    (code / "notes.tmp").write_text("changed again")
    assert Snapshots(Fingerprints(None)).look(str(code))[0] == only
