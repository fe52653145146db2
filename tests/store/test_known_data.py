"""Where data lies, by its content."""

from __future__ import annotations

from pathlib import Path

from brinery.store.known_data import KnownData, Place


def test_a_place_is_remembered(tmp_path: Path) -> None:
    """The newest place of a content is known, absolute; of another content none is."""
    known = KnownData(tmp_path / "data")
    assert known.place("ab" * 32) is None
    known.remember("ab" * 32, Path("test.csv"), separator=";")
    known.remember("ab" * 32, tmp_path / "other.csv", separator=None)
    assert known.place("ab" * 32) == Place(path=str(tmp_path / "other.csv"))
    assert known.place("cd" * 32) is None


def test_a_place_that_cannot_be_kept_is_forgotten(tmp_path: Path) -> None:
    """An import does not fail because nobody can write down where its data lay."""
    (tmp_path / "data").write_text("a file in the way")
    known = KnownData(tmp_path / "data")
    known.remember("ab" * 32, Path("test.csv"), separator=None)
    assert known.place("ab" * 32) is None
