"""PostgreSQL's lock by agreement, which all machines that share a database heed.

A connection may break while its lock is held: the server frees it, and another process goes on.
So every transaction that the holder begins on that database, MLflow's and our own, first asks
whether the lock is still there, and is refused where it is not. It holds a second lock until it
ends, which who comes next waits for: what was asked stays true until the transaction is committed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from brinery.errors import BrineryError, LockLost
from brinery.store.audit_database import connect, foreign_errors

# Any numbers will do, as long as they are the same in every process and no other program's.
_KEY: Final = 0x6272_696E_6572_79  # "brinery"
_WRITING: Final = _KEY + 1
_PART: Final = 2**32

_OWN: Final = sa.text(
    "SELECT pid, virtualtransaction FROM pg_locks WHERE locktype = 'advisory' AND granted "
    "AND pid = pg_backend_pid() AND classid = CAST(:high AS oid) AND objid = CAST(:low AS oid)"
)
_HELD: Final = sa.text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted "
    "AND pid = :pid AND virtualtransaction = :transaction "
    "AND classid = CAST(:high AS oid) AND objid = CAST(:low AS oid)"
)
_PARTS: Final = {"high": _KEY // _PART, "low": _KEY % _PART}


@dataclass
class _Holder:
    """The lock that a thread holds.

    Attributes:
        place: of the database.
        pid: of the server's process that holds it.
        transaction: of that process.
        lost: whether it was found to be gone.
    """

    place: sa.URL
    pid: int
    transaction: str
    lost: bool = False


class _OfThread(threading.local):
    holder: _Holder | None = None


_mine = _OfThread()


@contextmanager
def held(uri: str) -> Iterator[None]:
    """Hold the lock while the block runs; the server frees it when the connection ends.

    Args:
        uri: of a PostgreSQL database.

    Raises:
        LockLost: the connection broke, and a transaction of the block was refused.
        StoreFault: the database failed.
    """
    with foreign_errors():
        engine = connect(uri)
        connection = engine.connect()
    holder = None
    try:
        with foreign_errors():
            holder = _taken(connection)
        _mine.holder = holder
        yield
    except BrineryError as error:
        if holder is not None and holder.lost:
            raise LockLost(
                "the connection that held the lock of the database broke, and nothing was changed "
                "after that",
                hint="brinery history NAME finishes what was begun, or strikes it out; then try "
                "again",
            ) from error
        raise
    finally:
        _mine.holder = None
        # The lock ends with the transaction, which nothing else was done in.
        connection.invalidate()
        connection.close()
        engine.dispose()


def _taken(connection: sa.Connection) -> _Holder:
    """Return the lock, once it is ours and what its last holder was writing is written."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_KEY)))
    connection.execute(sa.select(sa.func.pg_advisory_lock(_WRITING)))
    connection.execute(sa.select(sa.func.pg_advisory_unlock(_WRITING)))
    pid, transaction = connection.execute(_OWN, _PARTS).one()
    return _Holder(_place(connection), pid, transaction)


def _place(connection: sa.Connection) -> sa.URL:
    """Return the database of a connection, whatever driver reaches it."""
    return connection.engine.url.set(drivername="postgresql")


@sa.event.listens_for(sa.Engine, "begin")
def _refuse(connection: sa.Connection) -> None:
    """Let a transaction begin only while the lock that its thread holds is there.

    Raises:
        LockLost: it is not.
    """
    holder = _mine.holder
    if (
        holder is None
        or connection.dialect.name != "postgresql"
        or _place(connection) != holder.place
    ):
        return
    # Who waits to write alone has the first lock.
    ours = connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock_shared(_WRITING)))
    told = {**_PARTS, "pid": holder.pid, "transaction": holder.transaction}
    if not ours or not connection.scalar(_HELD, told):
        holder.lost = True
        raise LockLost("the lock of the database is not ours any more")
