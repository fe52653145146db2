"""What nobody needs: put aside at once, removed by a process that nobody waits for."""

from __future__ import annotations

import time
from pathlib import Path

from brinery.store.trash import Trash

PATIENCE_S = 60.0


def gone(folder: Path) -> bool:
    """Return whether a folder is empty by and by."""
    until = time.monotonic() + PATIENCE_S
    while any(folder.iterdir()) and time.monotonic() < until:
        time.sleep(0.01)
    return not any(folder.iterdir())


def test_what_was_put_aside_is_removed_beside_what_else_is_done(tmp_path: Path) -> None:
    """Nothing lies where it lay; what is put aside meanwhile stays until the next time."""
    state = tmp_path / "state"
    trash = Trash(state / "trash")
    for name in ("first", "second"):
        (tmp_path / name / "below").mkdir(parents=True)
    trash.put(str(tmp_path / "first"))
    trash.put(str(tmp_path / "not there"))
    with trash.emptied():
        assert not (state / "trash").exists()
        trash.put(str(tmp_path / "second"))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["state"]
    assert len([*(state / "trash").iterdir()]) == 1
    trash.empty()
    assert gone(state)


def test_nothing_put_aside_is_nothing_to_remove(tmp_path: Path) -> None:
    """A folder that was never filled is not made, and a block is run all the same."""
    trash = Trash(tmp_path / "trash")
    with trash.emptied():
        assert not any(tmp_path.iterdir())
    trash.empty()
    assert not any(tmp_path.iterdir())
