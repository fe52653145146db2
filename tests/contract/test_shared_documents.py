"""Documents that all workspaces of a store see: one contract, whatever keeps them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from brinery.errors import NotFound
from brinery.store.shared_documents import (
    MemorySharedDocuments,
    Place,
    SharedDocuments,
    StoredSharedDocuments,
)

FIRST = Place("saved_version", "abcdefgh", "v01")
SECOND = Place("saved_version", "abcdefgh", "v02")
OTHER = Place("saved_version", "ABCDEFGH", "v01")


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def documents(request: pytest.FixtureRequest, tmp_path: Path) -> SharedDocuments:
    """A store without documents."""
    if request.param == "memory":
        return MemorySharedDocuments()
    uri = f"sqlite:///{tmp_path / 'brinery.db'}"
    if request.param == "postgres":
        made: str = request.getfixturevalue("postgres").database()
        uri = made.replace("postgresql://", "postgresql+psycopg://")
    return StoredSharedDocuments(uri)


def test_documents_are_found_as_they_were_kept(documents: SharedDocuments) -> None:
    """A document is found by its place, and listed among its owner's by its key."""
    assert documents.find(FIRST) is None
    assert documents.all("saved_version", "abcdefgh") == []
    for place, text in ((SECOND, "2"), (FIRST, "é\n"), (OTHER, "other")):
        documents.keep(place, text)
    documents.keep(SECOND, "two")
    assert documents.find(FIRST) == "é\n"
    assert documents.all("saved_version", "abcdefgh") == ["é\n", "two"]
    assert documents.all("saved_version", "") == []
    assert documents.all("saved_model", "abcdefgh") == []


def test_what_is_there_is_not_added(documents: SharedDocuments) -> None:
    """Of two that add the same document, the second is told so."""
    assert documents.add(FIRST, "first")
    assert not documents.add(FIRST, "second")
    assert documents.find(FIRST) == "first"


def test_changes_at_once_are_all_seen(documents: SharedDocuments) -> None:
    """Whoever changes a document is given what the one before made of it."""
    documents.keep(FIRST, "0")

    def one_more(_: int) -> str:
        return documents.change(FIRST, lambda text: str(int(text) + 1))

    with ThreadPoolExecutor(4) as pool:
        assert sorted(map(int, pool.map(one_more, range(12)))) == list(range(1, 13))
    assert documents.find(FIRST) == "12"


def test_what_is_removed_is_gone(documents: SharedDocuments) -> None:
    """Documents go together; one that is not there is none the worse; changing it is refused."""
    documents.keep(FIRST, "1")
    documents.keep(SECOND, "2")
    documents.remove(FIRST, OTHER)
    assert documents.all("saved_version", "abcdefgh") == ["2"]
    with pytest.raises(NotFound, match="the saved version v01 is gone"):
        documents.change(FIRST, str.upper)
