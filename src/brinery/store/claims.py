"""A claim: something that one process at a time may do, and that others do not wait for.

On one machine it is a file's lock: the system frees it when its process ends, however it ends.
Where several machines share a PostgreSQL database it is that database's too, which frees it when
the connection ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from pathlib import Path

from filelock import FileLock, Timeout

_POSTGRESQL = "postgresql"


@contextmanager
def claimed(name: str, *, file: Path, database: str = "") -> Iterator[bool]:
    """Give whether the claim is ours while the block runs; False where another process has it.

    Args:
        name: of what is claimed, the same on every machine.
        file: of the lock on this machine; its folder is made.
        database: URI of our own database; empty where nothing is kept in one.

    Raises:
        StoreFault: the database failed.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        yield False
        return
    try:
        with _of_database(name, database) as ours:
            yield ours
    finally:
        lock.release()


def _of_database(name: str, uri: str) -> AbstractContextManager[bool]:
    if not uri.startswith(_POSTGRESQL):
        return nullcontext(enter_result=True)
    # It takes as long to import as all else that a command needs.
    claim = import_module("brinery.store.advisory_claim").claimed(name, uri)
    assert isinstance(claim, AbstractContextManager)  # noqa: S101 - for the type checker
    return claim
