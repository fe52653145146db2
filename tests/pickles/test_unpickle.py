from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from brinery.pickles.unpickle import rewrite, unpickle

IN_CHILD = """
import sys
from pathlib import Path
from brinery.pickles.unpickle import enter_child, rewrite, unpickle
enter_child()
held = unpickle(Path(sys.argv[1]))
held["also"] = [2.5]
rewrite(held, Path(sys.argv[2]))
"""


class Touch:
    """An object whose pickle makes a file when it is loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.marker,))


def test_unpickle_outside_a_child(tmp_path: Path) -> None:
    """A process that was not made for a model refuses to load one, and runs nothing of it."""
    marker, file = tmp_path / "marker", tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(Touch(marker)))
    with pytest.raises(RuntimeError, match="in a child process only"):
        unpickle(file)
    assert not marker.exists()


def test_rewrite_outside_a_child(tmp_path: Path) -> None:
    """A process that was not made for a model refuses to write one."""
    with pytest.raises(RuntimeError, match="in the child that holds it only"):
        rewrite({}, tmp_path / "model.pkl")
    assert list(tmp_path.iterdir()) == []


def test_in_a_child(tmp_path: Path) -> None:
    """In a child a file is loaded, and written as a plain pickle of protocol 5."""
    file, again = tmp_path / "model.pkl", tmp_path / "again.pkl"
    file.write_bytes(pickle.dumps({"a": 1}, protocol=2))
    subprocess.run([sys.executable, "-c", IN_CHILD, str(file), str(again)], check=True)
    assert again.read_bytes() == pickle.dumps({"a": 1, "also": [2.5]}, protocol=5)
