"""Content on its way between machines: whole, once, and read-only where it is shared."""

from __future__ import annotations

import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest
from tests.buckets import Buckets

from brinery.errors import DataUnreachable
from brinery.store.fingerprints import Fingerprints
from brinery.store.shelf import Shelf


def filled(folder: Path) -> Path:
    """Return a folder with a program, two equal files, a link and an empty folder in it."""
    tree = folder / "tree"
    (tree / "deep" / "empty").mkdir(parents=True)
    (tree / "run.sh").write_text("#!/bin/sh\necho run\n")
    (tree / "run.sh").chmod(0o755)
    for name in ("one", "deep/two"):
        (tree / name).write_text("the same")
    (tree / "link").symlink_to("one")
    return tree


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_there_and_back(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A tree that was put there is had elsewhere, to read or to write to; equal files lie once."""
    environ: dict[str, str] = {}
    if kind == "bucket":
        buckets: Buckets = request.getfixturevalue("buckets")
        uri, environ = buckets.bucket(), buckets.environ
    else:
        uri = str(tmp_path / "shared")
    shelf = Shelf(uri, environ=environ)
    tree = filled(tmp_path)
    name = shelf.put(str(tree))
    assert shelf.put(str(tree)) == name
    single = shelf.put(str(tree / "one"))
    if kind == "folder":
        assert len([*(tmp_path / "shared/files").rglob("*/*")]) == 2

    elsewhere = deepcopy(shelf)
    cache = tmp_path / "cache"
    placed = Path(elsewhere.place(name, "data", cache=cache))
    assert placed.name == "data"
    assert Fingerprints(None).of(str(placed)).content == Fingerprints(None).of(str(tree)).content
    assert (placed / "deep" / "empty").is_dir()
    assert os.access(placed / "run.sh", os.X_OK)
    assert all(not path.stat().st_mode & 0o222 for path in placed.rglob("*") if path.is_file())
    assert elsewhere.place(name, "data", cache=cache) == str(placed)
    alone = Path(elsewhere.place(single, "one", cache=cache))
    assert alone.read_text() == "the same"

    target = tmp_path / "target"
    elsewhere.copy(name, str(target), cache=cache)
    (target / "one").write_text("another")
    assert (placed / "one").read_text() == "the same"
    elsewhere.copy(single, str(tmp_path / "made" / "file"), cache=cache)
    assert (tmp_path / "made" / "file").read_text() == "the same"


def test_what_is_not_there(tmp_path: Path, buckets: Buckets) -> None:
    """A name that nobody put there, or a bucket that is none, is one error."""
    with pytest.raises(FileNotFoundError):
        Shelf(str(tmp_path), environ={}).place("tree-0", "a", cache=tmp_path / "cache")
    shelf = Shelf("s3://no-such-bucket/x", environ=buckets.environ)
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataUnreachable) as caught:
        shelf.put(str(tmp_path / "file"))
    assert "s3://no-such-bucket/x cannot be reached" in caught.value.message


# A process that places a tree in one cache after the other, each when all others have come to it.
FETCHER = """
import sys, time
from pathlib import Path
from brinery.store.shelf import Shelf

uri, name, me, count, folder = sys.argv[1:4] + [int(sys.argv[4]), Path(sys.argv[5])]
for turn in range(40):
    cache = folder / f"cache-{turn}"
    cache.mkdir(exist_ok=True)
    (cache / f"came-{me}").touch()
    while len([*cache.glob("came-*")]) < count:
        time.sleep(0)
    Shelf(uri, environ={}).place(name, f"data-{me}", cache=cache)
"""


def test_equal_files_are_fetched_by_several_at_once(tmp_path: Path) -> None:
    """Who has a file of the cache keeps it, although others fetch the same meanwhile."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(200):
        (tree / f"{number}").write_text(f"one of {number // 20}")
    uri = str(tmp_path / "shared")
    name = Shelf(uri, environ={}).put(str(tree))
    program = [sys.executable, "-c", FETCHER, uri, name]
    running = [
        subprocess.Popen([*program, str(me), "4", str(tmp_path)], stderr=subprocess.PIPE)
        for me in range(4)
    ]
    try:
        failed = [each for each in running if each.wait(timeout=120)]
        assert [each.stderr.read() for each in failed if each.stderr] == []
    finally:
        for each in running:
            each.kill()
            each.communicate()
    for placed in tmp_path.glob("cache-*/trees/*/data-*"):
        assert len([*placed.iterdir()]) == 200
    assert not [*tmp_path.glob("cache-*/files/*/.*")]
