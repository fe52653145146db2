"""The audit trail in a database, by SQLAlchemy; its tables are made and changed by Alembic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from brinery.records.audit import AuditEntry, Change

_HERE = Path(__file__).parent


class Base(DeclarativeBase):
    """The tables of our own database."""


class AuditRow(Base):
    """One entry; `done` is null while it is open."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    who: Mapped[str] = mapped_column(sa.String(255))
    change: Mapped[str] = mapped_column(sa.String(32))
    subject: Mapped[str] = mapped_column(sa.String(100), index=True)
    before: Mapped[str | None] = mapped_column(sa.String(200))
    after: Mapped[str] = mapped_column(sa.String(200))
    why: Mapped[str] = mapped_column(sa.Text)
    done: Mapped[bool | None] = mapped_column(sa.Boolean)
    decision: Mapped[int | None] = mapped_column(sa.Integer)
    forced: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())


class Database:
    """What is kept in one of our databases.

    Args:
        uri: an SQLAlchemy URI; the tables are made, or brought up to date, at the first use.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._engine: sa.Engine | None = None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Hold a transaction while the block runs."""
        if self._engine is None:
            engine = connect(self._uri)
            migrate(engine)
            self._engine = engine
        with Session(self._engine) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close the connections."""
        if self._engine is not None:
            self._engine.dispose()


class SqlAudit(Database):
    """An audit trail in a database."""

    def add(self, entry: AuditEntry) -> None:
        """Append an entry of what is done, in a transaction of its own."""
        with self.session() as session:
            session.add(_row(entry, done=True))

    def begin(self, entry: AuditEntry) -> int:
        """Append an entry of what is meant, in a transaction of its own."""
        with self.session() as session:
            row = _row(entry, done=None)
            session.add(row)
            session.flush()
            return row.id

    def settle(self, number: int, *, done: bool) -> None:
        """Say of an open entry whether it was done."""
        with self.session() as session:
            session.execute(sa.update(AuditRow).where(AuditRow.id == number).values(done=done))

    def open_entries(self, subject: str) -> list[tuple[int, AuditEntry]]:
        """Return the entries of one model that are not settled."""
        query = sa.select(AuditRow).where(AuditRow.subject == subject, AuditRow.done.is_(None))
        with self.session() as session:
            rows = session.scalars(query.order_by(AuditRow.id))
            return [(row.id, _entry(row)) for row in rows]

    def entries(self, subject: str | None = None) -> list[AuditEntry]:
        """Return what was done, oldest first, to one model or to all."""
        query = sa.select(AuditRow).where(AuditRow.done.is_(True)).order_by(AuditRow.id)
        if subject is not None:
            query = query.where(AuditRow.subject == subject)
        with self.session() as session:
            return [_entry(row) for row in session.scalars(query)]


def connect(uri: str) -> sa.Engine:
    """Return an engine whose transactions hold the making of tables too, in SQLite as elsewhere.

    Python's driver for SQLite commits before it changes a table, unless transactions are begun
    by hand; a migration that is killed would leave half of itself.
    """
    # A connection is held no longer than its transaction: opening a file costs nothing.
    sqlite = sa.make_url(uri).get_backend_name() == "sqlite"
    engine = sa.create_engine(uri, poolclass=sa.NullPool if sqlite else None)
    if sqlite:
        sa.event.listen(engine, "connect", _leave_transactions_alone)
        sa.event.listen(engine, "begin", _begin)
    return engine


def _leave_transactions_alone(driver_connection: Any, _: object) -> None:
    driver_connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def migrate(engine: sa.Engine) -> None:
    """Bring the tables of a database up to date."""
    config = Config()
    config.set_main_option("script_location", str(_HERE / "migrations"))
    config.set_main_option("version_locations", str(_HERE / "revisions"))
    config.set_main_option("path_separator", "newline")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _row(entry: AuditEntry, *, done: bool | None) -> AuditRow:
    return AuditRow(
        at=entry.at,
        who=entry.who,
        change=entry.change.value,
        subject=entry.subject,
        before=entry.before,
        after=entry.after,
        why=entry.why,
        done=done,
        decision=entry.decision,
        forced=entry.forced,
    )


def _entry(row: AuditRow) -> AuditEntry:
    # SQLite keeps no time zone; what was written is UTC.
    return AuditEntry(
        at=row.at if row.at.tzinfo else row.at.replace(tzinfo=UTC),
        who=row.who,
        change=Change(row.change),
        subject=row.subject,
        before=row.before,
        after=row.after,
        why=row.why,
        decision=row.decision,
        forced=row.forced,
    )
