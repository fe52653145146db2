"""The lock that is held while the state of models is changed: by one process at a time.

On one machine it is a file's: the system frees it when its process is killed. Where several
machines share a PostgreSQL database, it is that database's too, which frees it when the connection
of its process ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module

from filelock import FileLock

_POSTGRESQL = "postgresql"


@contextmanager
def held(file: FileLock, database: str = "") -> Iterator[None]:
    """Hold the lock while the block runs; what another process is about is waited for.

    Args:
        file: of this machine.
        database: URI of our own database; empty where nothing is kept in one.
    """
    with file, _of_database(database):
        yield


def _of_database(uri: str) -> AbstractContextManager[None]:
    if not uri.startswith(_POSTGRESQL):
        return nullcontext()
    # It takes as long to import as all else that a command needs.
    advisory = import_module("brinery.store.advisory_lock").held(uri)
    assert isinstance(advisory, AbstractContextManager)  # noqa: S101 - for the type checker
    return advisory
