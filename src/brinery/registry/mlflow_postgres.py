"""MLflow's tables in PostgreSQL: read without MLflow, and made once."""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

from brinery.errors import RegistryFault
from brinery.registry import mlflow_tables
from brinery.registry.mlflow_tables import Ask, Row, Standing, T
from brinery.specs.places import libpq, shown, without_passwords

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

POSTGRES = "postgresql"

_CONNECT_S = 10
_SILENT_MS = 30_000
_NAMED = re.compile(r":(\w+)")
# What is held while MLflow makes its tables, among all processes of all machines.
_MAKING_LOCK = 0x6D6C666C6F77
_MADE = "SELECT to_regclass('alembic_version') IS NOT NULL"


class PostgresTables:
    """MLflow's tables in a PostgreSQL database, over one connection that is kept.

    Args:
        uri: of the registry.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._kept: Connection | None = None
        self._lock = Lock()

    def rows(
        self, name: str | None = None, *, tag: str, number: int | None = None
    ) -> list[Row] | None:
        """Return the versions of a model, or of all, the newest first; None: ask MLflow.

        Without tables there are none.

        Raises:
            RegistryFault: the database cannot be reached.
        """
        return self._asked(lambda ask: mlflow_tables.rows(ask, name, tag=tag, number=number))

    def standings(self, *, champion: str) -> list[Standing] | None:
        """Return the versions that are in `Production` or have an alias; None: ask MLflow.

        Raises:
            RegistryFault: the database cannot be reached.
        """
        return self._asked(lambda ask: mlflow_tables.standings(ask, champion=champion))

    def _asked(self, read: Callable[[Ask], list[T] | None]) -> list[T] | None:
        with self._lock, _told(self._uri):
            if self._kept is not None:
                try:
                    return _answer(self._kept, read)
                except _lost():
                    self.close()  # the server was started anew, or the connection was too long idle
            self._kept = connect(self._uri)
            weakref.finalize(self, self._kept.close)
            return _answer(self._kept, read)

    def close(self) -> None:
        """Close the connection."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None


def _answer(connection: Connection, read: Callable[[Ask], list[T] | None]) -> list[T] | None:
    """Return what is read in one state of all tables; nothing where there are no tables."""

    def ask(sql: str, values: Mapping[str, str | None]) -> Iterable[tuple[Any, ...]]:
        return connection.execute(_NAMED.sub(r"%(\1)s", sql).encode(), values)

    with connection.transaction():
        if list(ask(_MADE, {})) != [(True,)]:
            return []
        return read(ask) if mlflow_tables.known(ask) else None


def make(uri: str, making: Callable[[], None]) -> None:
    """Have MLflow make its tables where there are none; what others make is waited for.

    Args:
        uri: of the database.
        making: makes them.

    Raises:
        RegistryFault: the database cannot be reached.
    """
    with _told(uri), connect(uri) as connection:
        connection.autocommit = True
        if _revised(connection):
            return
        connection.execute("SELECT pg_advisory_lock(%s)", (_MAKING_LOCK,))
        if not _revised(connection):
            making()


def _revised(connection: Connection) -> bool:
    """Return whether MLflow has made its tables to their end."""
    if connection.execute(_MADE).fetchone() != (True,):
        return False
    return connection.execute("SELECT 1 FROM alembic_version").fetchone() is not None


def connect(uri: str) -> Connection:
    """Return a connection that sees one state of all tables in a transaction, and writes nothing.

    Raises:
        RegistryFault: the database cannot be reached.
    """
    import psycopg

    with _told(uri):
        # What pools connections may not know of statements that were prepared on another one.
        connection = psycopg.connect(
            libpq(uri),
            connect_timeout=_CONNECT_S,
            tcp_user_timeout=_SILENT_MS,
            prepare_threshold=None,
        )
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return connection


def _lost() -> tuple[type[Exception], ...]:
    import psycopg

    return (psycopg.OperationalError, psycopg.InterfaceError)


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """Translate what the driver raises."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        reason = " ".join(without_passwords(str(error)).split())[:300]
        raise RegistryFault(
            f"{shown(uri)} failed: {reason}",
            hint="check that it runs: store.uri in brinery.toml, BRINERY_STORE_URI or --store "
            "names it",
        ) from error
