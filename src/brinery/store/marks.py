"""Marks: short texts that are others once something was changed, by whichever program.

They are looked at every second while a page is open, so that none of them reads what it marks.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import create_engine, text

if TYPE_CHECKING:
    from sqlalchemy import Engine

_SQLITE: Final = "sqlite:///"
# PostgreSQL counts what was written to each table; reading moves none of these.
_WRITTEN: Final = (
    "select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0), count(*) from pg_stat_user_tables"
)


def of_files(paths: Iterable[Path]) -> str:
    """Return a mark of files: of their times and sizes; one that is not there has its own."""
    return " ".join(_of_file(path) for path in paths)


def of_database(uri: str) -> str:
    """Return a mark of a database.

    Args:
        uri: an SQLAlchemy URI.
    """
    if uri.startswith(_SQLITE):
        file = uri.removeprefix(_SQLITE)
        return of_files((Path(file), Path(f"{file}-wal")))
    with _engine(uri).connect() as connection:
        return " ".join(str(value) for value in connection.execute(text(_WRITTEN)).one())


def of_journals(folder: Path) -> str:
    """Return a mark of the journals of a folder of jobs."""
    try:
        return of_files(sorted(path / "journal.jsonl" for path in folder.iterdir()))
    except OSError:
        return ""


def _of_file(path: Path) -> str:
    try:
        told = path.stat()
    except OSError:
        return "-"
    return f"{told.st_mtime_ns:x}.{told.st_size:x}"


@cache
def _engine(uri: str) -> Engine:
    return create_engine(uri, pool_size=1, pool_pre_ping=True)
