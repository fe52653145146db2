"""What every audit trail does; run against the fake and against a database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from brinery.records.audit import AuditEntry, AuditQuery, Change
from brinery.specs.places import database
from brinery.store.audit import Audit, MemoryAudit, StoredAudit
from brinery.store.audit_database import Base, SqlAudit, connect
from brinery.store.upgrading import migrate


def entry(subject: str, *, minute: int = 0, before: str | None = None) -> AuditEntry:
    """Return an entry with something in every field."""
    return AuditEntry(
        at=datetime(2026, 11, 21, 12, minute, tzinfo=UTC),
        who="ada",
        change=Change.PROMOTE,
        subject=subject,
        before=before,
        after=f"{subject}@1 champion",
        why="bécause",
    )


POSTGRES = pytest.param("postgres", marks=pytest.mark.slow)


@pytest.fixture(params=["memory", "sqlite", "late", POSTGRES])
def audit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Audit]:
    """Each implementation, empty."""
    if request.param == "memory":
        yield MemoryAudit()
        return
    uri = f"sqlite:///{tmp_path / 'brinery.db'}"
    if request.param == "postgres":
        uri = database(request.getfixturevalue("postgres").database())
    if request.param == "late":
        yield StoredAudit(uri)
        return
    trail = SqlAudit(uri)
    yield trail
    trail.close()


def test_entries_come_back_as_they_were(audit: Audit) -> None:
    """Entries are given back whole, oldest first."""
    written = [entry("bank"), entry("bank", minute=1, before="bank@1 champion"), entry("iris")]
    for one in written:
        audit.add(one)
    assert audit.entries() == written
    assert audit.entries("bank") == written[:2]
    assert audit.entries("none") == []


def test_an_open_entry_is_shown_once_it_is_done(audit: Audit) -> None:
    """An entry is begun, is open, and is shown when it is settled as done, in its first place."""
    meant = audit.begin(entry("bank"))
    audit.add(entry("bank", minute=1))
    assert audit.open_entries("bank") == [(meant, entry("bank"))]
    assert audit.entries("bank") == [entry("bank", minute=1)]
    audit.settle(meant, done=True)
    assert audit.open_entries("bank") == []
    assert audit.entries("bank") == [entry("bank"), entry("bank", minute=1)]


def test_what_was_not_done_is_not_shown(audit: Audit) -> None:
    """An entry that is settled as not done is neither open nor shown."""
    audit.settle(audit.begin(entry("bank")), done=False)
    assert audit.open_entries("bank") == []
    assert audit.entries("bank") == []


def test_a_trail_outlives_its_process(tmp_path: Path) -> None:
    """What was written is there when the database is opened again."""
    uri = f"sqlite:///{tmp_path / 'brinery.db'}"
    first = SqlAudit(uri)
    first.add(entry("bank"))
    first.close()
    second = SqlAudit(uri)
    assert second.entries() == [entry("bank")]
    second.close()


def test_migrations_make_what_the_code_declares(tmp_path: Path) -> None:
    """The tables that migrations make are those that the code declares, column by column."""
    engine = connect(f"sqlite:///{tmp_path / 'brinery.db'}")
    migrate(engine)
    made = sa.MetaData()
    made.reflect(engine)
    engine.dispose()
    for name, table in Base.metadata.tables.items():
        assert {(c.name, c.nullable, c.primary_key) for c in made.tables[name].columns} == {
            (c.name, c.nullable, c.primary_key) for c in table.columns
        }


def test_tables_are_made_in_the_transaction(tmp_path: Path) -> None:
    """What a migration made before it was ended is not there afterwards."""
    engine = connect(f"sqlite:///{tmp_path / 'brinery.db'}")
    with engine.connect() as connection, connection.begin() as transaction:
        connection.exec_driver_sql("CREATE TABLE half (a INTEGER)")
        transaction.rollback()
    assert sa.inspect(engine).get_table_names() == []
    migrate(engine)
    assert "audit" in sa.inspect(engine).get_table_names()
    engine.dispose()


def test_pages_of_the_trail(audit: Audit) -> None:
    """Newest first, in parts, with how many match; what is searched for is text, not a pattern."""
    for minute, subject in enumerate(["bank", "iris", "bank_100%"]):
        audit.add(entry(subject, minute=minute))
    audit.begin(entry("open", minute=9))
    page = audit.page(AuditQuery(most=2))
    assert [one.subject for one in page.entries] == ["bank_100%", "iris"]
    assert page.total == 3
    rest = audit.page(AuditQuery(most=2, offset=2))
    assert [one.subject for one in rest.entries] == ["bank"]
    found = audit.page(AuditQuery(words=("BANK", "100%"), sort="subject", descending=False))
    assert [one.subject for one in found.entries] == ["bank_100%"]
    assert audit.page(AuditQuery(words=("b_nk",))).total == 0


def test_the_last_move_of_each_model(audit: Audit) -> None:
    """Those that moved last come first; imports and other aliases are no moves."""
    audit.add(entry("bank"))
    audit.add(entry("iris", minute=1))
    audit.add(entry("bank", minute=2, before="bank@1 champion"))
    audit.add(replace(entry("other"), change=Change.IMPORT))
    moves = audit.last_moves("champion", most=5)
    assert [(one.subject, one.at.minute) for one in moves] == [("bank", 2), ("iris", 1)]
    assert [one.subject for one in audit.last_moves("champion", most=1)] == ["bank"]
    assert audit.last_moves("challenger", most=5) == []


def test_who_reads_waits_for_no_writer(tmp_path: Path) -> None:
    """While another process is about to write, what is kept can be read, also by pages."""
    trail = SqlAudit(f"sqlite:///{tmp_path / 'brinery.db'}")
    trail.add(entry("bank"))
    with closing(sqlite3.connect(tmp_path / "brinery.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert trail.entries() == [entry("bank")]
        assert trail.page(AuditQuery()).total == 1
        writer.execute("ROLLBACK")
    trail.close()
