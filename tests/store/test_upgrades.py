"""Databases of earlier releases are brought up to date, in both kinds, and lose nothing."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.postgres import Postgres

from brinery.errors import StoreFault
from brinery.records.audit import AuditEntry, Change
from brinery.specs.places import database
from brinery.store.audit_database import SCHEMA, SqlAudit, connect
from brinery.store.upgrading import migrate

# The tables of the first release, with two entries and one that a killed process left open. In
# PostgreSQL the numbers of new entries come from a sequence.
FIRST = (Path(__file__).parent / "audit_0001.sql").read_text(encoding="utf-8")
IN_POSTGRES = f"""
CREATE SCHEMA {SCHEMA}; SET search_path TO {SCHEMA}; SET TIME ZONE 'UTC';
{FIRST}
CREATE SEQUENCE audit_id_seq OWNED BY audit.id;
SELECT setval('audit_id_seq', 3);
ALTER TABLE audit ALTER COLUMN id SET DEFAULT nextval('audit_id_seq');
"""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def first(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URI of a database as the first release left it."""
    if request.param == "sqlite":
        with closing(sqlite3.connect(tmp_path / "brinery.db")) as connection:
            connection.executescript(FIRST)
        return f"sqlite:///{tmp_path / 'brinery.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    uri = server.database()
    server.ask(uri, IN_POSTGRES)
    return database(uri)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URI of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'brinery.db'}"
    return database(request.getfixturevalue("postgres").database())


@pytest.fixture
def trail(first: str) -> Iterator[SqlAudit]:
    """The audit trail of such a database."""
    found = SqlAudit(first)
    yield found
    found.close()


def test_what_the_first_release_wrote_is_read(trail: SqlAudit) -> None:
    """Entries of the first release are there after the upgrade, and an open one is still open."""
    at = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    first, second = trail.entries("bank")
    assert first == AuditEntry(
        at=at, who="ada", change=Change.IMPORT, subject="bank", before=None, after="bank@1", why=""
    )
    assert (second.after, second.why) == ("bank@1 champion", "first")
    ((number, left),) = trail.open_entries("bank")
    assert (number, left.after) == (3, "bank@2 champion")


def test_what_is_written_afterwards_follows(trail: SqlAudit) -> None:
    """New entries are numbered after the old ones."""
    entry = trail.entries("bank")[0]
    assert trail.begin(entry) > 3


def test_an_upgraded_database_is_as_a_new_one(first: str, tmp_path: Path) -> None:
    """A database that was brought up to date has the tables and columns of a new one."""
    assert _columns(first) == _columns(f"sqlite:///{tmp_path / 'new.db'}")


def _columns(uri: str) -> dict[str, set[tuple[str, bool]]]:
    engine = connect(uri)
    migrate(engine)
    made = sa.MetaData()
    made.reflect(engine, schema=SCHEMA if engine.dialect.name == "postgresql" else None)
    engine.dispose()
    return {
        table.name: {(c.name, bool(c.nullable)) for c in table.columns}
        for table in made.tables.values()
        if table.name != "alembic_version"
    }


def test_each_revision_can_be_gone_through(empty: str) -> None:
    """The first revision alone is made, and then the newest is."""
    engine = connect(empty)
    migrate(engine, "0001")
    migrate(engine)
    engine.dispose()
    assert SqlAudit(empty).entries() == []


def test_processes_that_start_together_make_one(empty: str) -> None:
    """Several that meet an empty database at once all find its tables made."""
    trails = [SqlAudit(empty) for _ in range(4)]
    with ThreadPoolExecutor(len(trails)) as pool:
        assert list(pool.map(lambda one: one.entries(), trails)) == [[]] * len(trails)
    for one in trails:
        one.close()


def test_alembic_is_imported_where_there_is_something_to_do(empty: str) -> None:
    """Who finds the tables as they should be does not wait for it."""
    program = (
        "import sys; from brinery.store.audit_database import SqlAudit; "
        f"SqlAudit({empty!r}).entries(); print('alembic' in sys.modules)"
    )

    def told() -> str:
        command = [sys.executable, "-c", program]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert [told(), told()] == ["True", "False"]


def test_a_later_revision_is_left_alone(empty: str) -> None:
    """A database that a later release wrote is refused, and stays as it is."""
    engine = connect(empty)
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreFault, match="9999"):
        SqlAudit(empty).entries()


@pytest.mark.slow
def test_mlflows_tables_and_ours_are_apart(postgres: Postgres) -> None:
    """In one database, a table of ours may be called as one of MLflow's is."""
    uri = postgres.database()
    postgres.ask(uri, "CREATE TABLE alembic_version (version_num text); CREATE TABLE audit (x int)")
    postgres.ask(uri, "INSERT INTO alembic_version VALUES ('mlflow')")
    trail = SqlAudit(database(uri))
    assert trail.entries() == []
    trail.close()
    assert postgres.ask(uri, "SELECT version_num FROM alembic_version") == ["mlflow"]
    tables = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'brinery_records'"
    )
    assert {"alembic_version", "audit"} <= set(postgres.ask(uri, tables))


@pytest.mark.slow
def test_a_password_is_in_no_message(postgres: Postgres) -> None:
    """A database that cannot be reached is told of without the password."""
    uri = database(postgres.database().replace("Pa55-w0rd", "wr0ng-0ne"))
    with pytest.raises(StoreFault) as raised:
        SqlAudit(uri).entries()
    assert "wr0ng-0ne" not in f"{raised.value.message} {raised.value.hint} {raised.value.__cause__}"
