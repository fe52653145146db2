"""PostgreSQL's lock by agreement, for a claim that all machines that share a database heed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

import sqlalchemy as sa

from brinery.store.audit_database import connect, foreign_errors


@contextmanager
def claimed(name: str, uri: str) -> Iterator[bool]:
    """Give whether the claim is ours while the block runs; the server frees it with the connection.

    The lock is the session's and no transaction's: a training may take a day, and a transaction of
    a day keeps the server from cleaning its tables.

    Args:
        name: of what is claimed.
        uri: of a PostgreSQL database.

    Raises:
        StoreFault: the database failed.
    """
    key = int.from_bytes(sha256(f"brinery {name}".encode()).digest()[:8], signed=True)
    with foreign_errors():
        engine = connect(uri)
        connection = engine.connect()
    try:
        with foreign_errors():
            ours = connection.scalar(sa.select(sa.func.pg_try_advisory_lock(key)))
            connection.commit()
        yield bool(ours)
    finally:
        # Not returned to a pool, which would keep the session and its lock.
        connection.invalidate()
        connection.close()
        engine.dispose()
