"""The audit trail in a database, by SQLAlchemy; its tables are made and changed by Alembic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from brinery.errors import StoreFault
from brinery.records.audit import AuditEntry, AuditPage, AuditQuery, Change
from brinery.specs.places import without_passwords
from brinery.store.audit import MOVES

# In PostgreSQL, which MLflow shares with us: our tables, and Alembic's of our revision. A schema
# that is called as the user is would be the one that PostgreSQL has MLflow use, too.
SCHEMA = "brinery_records"

# A file for each revision, in their order.
REVISIONS = Path(__file__).with_name("revisions")

_CONNECT_S = 10
_SILENT_MS = 30_000
_READS = "brinery_reads"


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
        """Hold a transaction while the block runs.

        Raises:
            StoreFault: the database failed.
        """
        with foreign_errors(), Session(self._opened()) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Hold a transaction that only reads, and waits for nobody who is yet to write.

        Raises:
            StoreFault: the database failed.
        """
        with foreign_errors():
            engine = self._opened().execution_options(**{_READS: True})
            with Session(engine) as session, session.begin():
                yield session

    def _opened(self) -> sa.Engine:
        if self._engine is None:
            engine = connect(self._uri)
            if not is_current(engine):
                import_module("brinery.store.upgrading").migrate(engine)
            self._engine = engine
        return self._engine

    def close(self) -> None:
        """Close the connections."""
        if self._engine is not None:
            self._engine.dispose()


class SqlAudit(Database):
    """An audit trail in a database."""

    def add(self, entry: AuditEntry) -> None:
        """Append an entry of what is done, in a transaction of its own."""
        with self.session() as session:
            session.add(audit_row(entry, done=True))

    def begin(self, entry: AuditEntry) -> int:
        """Append an entry of what is meant, in a transaction of its own."""
        with self.session() as session:
            row = audit_row(entry, done=None)
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
        with self.reading() as session:
            rows = session.scalars(query.order_by(AuditRow.id))
            return [(row.id, _entry(row)) for row in rows]

    def entries(self, subject: str | None = None) -> list[AuditEntry]:
        """Return what was done, oldest first, to one model or to all."""
        query = sa.select(AuditRow).where(AuditRow.done.is_(True)).order_by(AuditRow.id)
        if subject is not None:
            query = query.where(AuditRow.subject == subject)
        with self.reading() as session:
            return [_entry(row) for row in session.scalars(query)]

    def page(self, asked: AuditQuery) -> AuditPage:
        """Return some of what was done, and how much matches in all."""
        query = sa.select(AuditRow).where(AuditRow.done.is_(True))
        for word in asked.words:
            query = query.where(sa.or_(*(one.icontains(word, autoescape=True) for one in _TOLD)))
        column = getattr(AuditRow, asked.sort)
        # What happened at the same time stays in the order in which it was written.
        order = (column.desc(), AuditRow.id.desc()) if asked.descending else (column, AuditRow.id)
        with self.reading() as session:
            total = session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
            rows = session.scalars(query.order_by(*order).offset(asked.offset).limit(asked.most))
            return AuditPage(entries=tuple(_entry(row) for row in rows), total=total)

    def last_moves(self, alias: str, *, most: int) -> list[AuditEntry]:
        """Return the last move of an alias in each model, those that moved last first."""
        last = (
            sa.select(sa.func.max(AuditRow.id).label("id"))
            .where(
                AuditRow.done.is_(True),
                AuditRow.change.in_([change.value for change in MOVES]),
                AuditRow.after.endswith(f" {alias}", autoescape=True),
            )
            .group_by(AuditRow.subject)
            .order_by(sa.desc("id"))
            .limit(most)
            .subquery()
        )
        query = sa.select(AuditRow).join(last, AuditRow.id == last.c.id)
        with self.reading() as session:
            return [_entry(row) for row in session.scalars(query.order_by(AuditRow.id.desc()))]


_TOLD = (AuditRow.subject, AuditRow.who, AuditRow.before, AuditRow.after, AuditRow.why)


def connect(uri: str) -> sa.Engine:
    """Return an engine whose transactions hold the making of tables too, in SQLite as elsewhere.

    Python's driver for SQLite commits before it changes a table, unless transactions are begun
    by hand; a migration that is killed would leave half of itself. In PostgreSQL every transaction
    sees our own schema and nothing of MLflow's tables.
    """
    # A connection is held no longer than its transaction: nobody writes often, and none goes stale.
    if sa.make_url(uri).get_backend_name() == "sqlite":
        engine = sa.create_engine(uri, poolclass=sa.NullPool)
        sa.event.listen(engine, "connect", _leave_transactions_alone)
        sa.event.listen(engine, "begin", _begin)
    else:
        engine = sa.create_engine(
            uri,
            poolclass=sa.NullPool,
            connect_args={"connect_timeout": _CONNECT_S, "tcp_user_timeout": _SILENT_MS},
            hide_parameters=True,
        )
        # Of this transaction only: what pools connections on the way may give the next to others.
        sa.event.listen(engine, "begin", _enter_schema)
    return engine


@contextmanager
def foreign_errors() -> Iterator[None]:
    """Translate what the database and its driver raise.

    Raises:
        StoreFault: the database failed.
    """
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        raise failure(error) from error


def failure(error: Exception) -> StoreFault:
    """Return what users are told of an error of the database, its driver or Alembic."""
    reason = " ".join(without_passwords(str(getattr(error, "orig", None) or error)).split())
    return StoreFault(
        f"the database of our records failed: {reason[:300]}",
        hint="check that it runs and can be written: store.uri in brinery.toml names it, "
        "or it is .brinery/brinery.db",
    )


def _leave_transactions_alone(driver_connection: Any, _: object) -> None:
    driver_connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    """Take SQLite's one place for writers at once, unless nothing is to be written."""
    reads = connection.get_execution_options().get(_READS)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _enter_schema(connection: sa.Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL search_path TO {SCHEMA}")


def is_current(engine: sa.Engine) -> bool:
    """Return whether the tables of a database are those of the newest revision."""
    newest = max(path.name for path in REVISIONS.glob("[0-9]*.py")).partition("_")[0]
    with engine.execution_options(**{_READS: True}).begin() as connection:
        try:
            found = connection.scalars(sa.text("SELECT version_num FROM alembic_version")).all()
        except (sa.exc.OperationalError, sa.exc.ProgrammingError):
            return False  # there are no tables yet
        return list(found) == [newest]


def audit_row(entry: AuditEntry, *, done: bool | None) -> AuditRow:
    """Return the row of an entry, for a transaction that changes something else, too."""
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
