"""A database that an earlier Brinery wrote is brought up to date, and keeps what is in it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.contract.test_decisions import decision

from brinery.records.audit import AuditEntry, Change
from brinery.store.audit_database import Base, SqlAudit, connect
from brinery.store.decisions_database import SqlDecisions
from brinery.store.upgrading import migrate

# What the code of revision 0001 wrote: entries that are done, undone and open.
FIRST = """
INSERT INTO audit (id, at, who, change, subject, before, after, why, done) VALUES
(1, '2026-11-20 09:00:00+00', 'ada', 'import', 'bank', NULL, 'bank@1', '', true),
(2, '2026-11-20 09:01:00+00', 'ada', 'promote', 'bank', NULL, 'bank@1 champion', 'wé', true),
(3, '2026-11-20 09:02:00+00', 'bob', 'promote', 'bank', 'bank@1 champion', 'bank@2 champion', '',
 false),
(4, '2026-11-20 09:03:00+00', 'bob', 'promote', 'bank', 'bank@1 champion', 'bank@3 champion', '',
 NULL)
"""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database as revision 0001 left it."""
    uri = f"sqlite:///{tmp_path / 'brinery.db'}"
    if request.param == "postgres":
        made: str = request.getfixturevalue("postgres").database()
        uri = made.replace("postgresql://", "postgresql+psycopg://")
    engine = connect(uri)
    migrate(engine, "0001")
    with engine.begin() as connection:
        sqlite = connection.dialect.name == "sqlite"  # which keeps no time zone
        connection.exec_driver_sql(FIRST.replace("+00'", ".000000'") if sqlite else FIRST)
        if not sqlite:
            reset = "SELECT setval(pg_get_serial_sequence('audit', 'id'), 4)"
            connection.exec_driver_sql(reset)
    engine.dispose()
    return uri


def test_what_was_written_stays(uri: str) -> None:
    """Entries are read as they were, what was open is open, and new ones follow."""
    trail = SqlAudit(uri)
    first, second = trail.entries()
    assert second == AuditEntry(
        at=datetime(2026, 11, 20, 9, 1, tzinfo=UTC),
        who="ada",
        change=Change.PROMOTE,
        subject="bank",
        before=None,
        after="bank@1 champion",
        why="wé",
    )
    assert (first.change, first.decision, first.forced) == (Change.IMPORT, None, False)
    ((number, left),) = trail.open_entries("bank")
    assert (number, left.after) == (4, "bank@3 champion")
    trail.settle(number, done=True)
    kept = SqlDecisions(uri)
    forced = AuditEntry(
        at=datetime(2026, 11, 22, tzinfo=UTC),
        who="ada",
        change=Change.ROLLBACK,
        subject="bank",
        before="bank@3 champion",
        after="bank@1 champion",
        decision=kept.add(decision("bank@3", "a")),
        forced=True,
    )
    trail.add(forced)
    assert trail.entries("bank")[-1] == forced
    for one in (trail, kept):
        one.close()


def test_it_becomes_what_the_code_declares(uri: str) -> None:
    """The tables of an upgraded database are those of a new one, column by column."""
    engine = connect(uri)
    migrate(engine)
    made = sa.MetaData()
    with engine.begin() as connection:
        made.reflect(connection)
    engine.dispose()
    for name, table in Base.metadata.tables.items():
        assert {(c.name, c.nullable, c.primary_key) for c in made.tables[name].columns} == {
            (c.name, c.nullable, c.primary_key) for c in table.columns
        }
