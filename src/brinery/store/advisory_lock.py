"""PostgreSQL's lock by agreement, which all machines that share a database heed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from brinery.store.audit_database import connect, foreign_errors

# Any number will do, as long as it is the same in every process and no other program's.
_KEY = 0x6272_696E_6572_79  # "brinery"


@contextmanager
def held(uri: str) -> Iterator[None]:
    """Hold the lock while the block runs; the server frees it when the connection ends.

    Args:
        uri: of a PostgreSQL database.

    Raises:
        StoreFault: the database failed.
    """
    with foreign_errors():
        engine = connect(uri)
        connection = engine.connect()
    try:
        with foreign_errors():
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_KEY)))
        yield
    finally:
        # The lock ends with the transaction, which nothing else was done in.
        connection.close()
        engine.dispose()
