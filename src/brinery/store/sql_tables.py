"""Tables of databases that users have, read and written by SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from brinery.errors import DataUnreachable, NotFound
from brinery.records.dataset import Column, ColumnType
from brinery.specs.names import nearest
from brinery.specs.places import shown, without_passwords
from brinery.store.column_types import cast, columns_of

_ROWS: Final = 50_000
_SQL: Final[dict[ColumnType, Any]] = {
    ColumnType.BIGINT: sa.BigInteger(),
    ColumnType.INT: sa.Integer(),
    ColumnType.SMALLINT: sa.SmallInteger(),
    ColumnType.TINYINT: sa.SmallInteger(),
    ColumnType.DOUBLE: sa.Double(),
    ColumnType.FLOAT: sa.Float(),
    ColumnType.BOOLEAN: sa.Boolean(),
    ColumnType.DATE: sa.DateTime(timezone=True),
    ColumnType.DATETIME_NO_TZ: sa.DateTime(),
    ColumnType.DATE_ONLY: sa.Date(),
}


def columns(uri: str, table: str) -> tuple[Column, ...]:
    """Return the columns of a table.

    Raises:
        NotFound: the database has no such table.
        DataUnreachable: it cannot be reached, or needs a driver that is not installed.
    """
    with _connected(uri) as connection:
        found = _reflected(connection, table)
        empty = pd.read_sql(sa.select(found).limit(0), connection)
        kinds = {name: _kind(one.type) for name, one in found.columns.items()}
    return tuple(
        Column(name=one.name, type=kinds.get(one.name) or one.type)
        for one in columns_of(pa.Schema.from_pandas(empty, preserve_index=False))
    )


def export(uri: str, table: str, *, target: Path) -> None:
    """Write the rows of a table as a Parquet file.

    Raises:
        NotFound: the database has no such table.
        DataUnreachable: it cannot be reached.
    """
    schema = columns(uri, table)
    writer: pq.ParquetWriter | None = None
    with _connected(uri) as connection:
        found = _reflected(connection, table)
        asked = sa.select(found)
        streamed = connection.execution_options(stream_results=True)
        try:
            for frame in pd.read_sql(asked, streamed, chunksize=_ROWS):
                rows = cast(pa.Table.from_pandas(frame, preserve_index=False), schema)
                writer = writer or pq.ParquetWriter(target, rows.schema)
                writer.write_table(rows)
            if writer is None:
                empty = pd.read_sql(asked.limit(0), connection)
                pq.write_table(
                    cast(pa.Table.from_pandas(empty, preserve_index=False), schema), target
                )
        finally:
            if writer is not None:
                writer.close()


def write(uri: str, table: str, *, rows: pa.Table, append: bool) -> None:
    """Write rows to a table in one transaction; it is made where it is not there.

    Raises:
        DataUnreachable: the database cannot be reached, or refuses.
    """
    schema = columns_of(rows.schema)
    kinds = {one.name: _SQL.get(one.type, sa.Text()) for one in schema}
    with _connected(uri) as connection:
        rows.to_pandas().to_sql(
            table,
            connection,
            if_exists="append" if append else "replace",
            index=False,
            dtype=kinds,
            chunksize=1000,
        )


def _reflected(connection: sa.Connection, table: str) -> sa.Table:
    schema, _, name = table.rpartition(".")
    try:
        return sa.Table(name, sa.MetaData(), schema=schema or None, autoload_with=connection)
    except sa.exc.NoSuchTableError:
        there = sa.inspect(connection).get_table_names(schema=schema or None)
        near = nearest(name, there)
        raise NotFound(
            f"the database has no table {table}" + (f": did you mean {near}?" if near else ""),
            hint=f"it has {', '.join(there[:10]) or 'none'}",
        ) from None


def _kind(declared: sa.types.TypeEngine[Any]) -> ColumnType | None:
    """Return what a column that the database declares is; None where its rows tell."""
    for kind, found in (
        (sa.Boolean, ColumnType.BOOLEAN),
        (sa.SmallInteger, ColumnType.SMALLINT),
        (sa.Integer, ColumnType.BIGINT),
        (sa.Numeric, ColumnType.DOUBLE),
        (sa.Float, ColumnType.DOUBLE),
        (sa.Date, ColumnType.DATE_ONLY),
        (sa.String, ColumnType.STRING),
    ):
        if isinstance(declared, kind):
            return found
    if isinstance(declared, sa.DateTime):
        return ColumnType.DATE if declared.timezone else ColumnType.DATETIME_NO_TZ
    return None


@contextmanager
def _connected(uri: str) -> Iterator[sa.Connection]:
    """Hold a transaction of a database while the block runs; translate what it raises."""
    try:
        engine = sa.create_engine(uri, poolclass=sa.NullPool)
        with engine.begin() as connection:
            yield connection
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        told = without_passwords(str(getattr(error, "orig", None) or error))
        raise DataUnreachable(
            f"the database {shown(uri)} failed: {' '.join(told.split())[:300]}",
            hint="pip install the driver that the address names, or check that the database runs",
        ) from error
