"""Parquet files as bodies: read only after their pages have said how large they become."""

from __future__ import annotations

from http import HTTPStatus

import pyarrow as pa
import pyarrow.parquet as pq

from brinery.records.signature import ColumnType, Signature
from brinery.serve.arrays import ArraysReader, malformed
from brinery.serve.arrow_stream import FAULTS, id_of, reason
from brinery.serve.asked import Asked
from brinery.serve.document import empty_body
from brinery.serve.parquet_pages import DELTA_BYTE_ARRAY, groups, pages
from brinery.serve.problems import Problem

MEDIA_TYPE = "application/vnd.apache.parquet"

# More than any honest body has, and still walked in less than a second.
_MOST_GROUPS = 1000
_MOST_PAGES = 20_000


class ParquetReader:
    """Reads Parquet files for one signature.

    Args:
        signature: what the model takes.
        arrays: reads their columns.
    """

    def __init__(self, signature: Signature, arrays: ArraysReader) -> None:
        self._texts = [one.name for one in signature.columns if one.type is ColumnType.STRING]
        self._arrays = arrays

    def asked(self, body: bytes) -> Asked:
        """Return what a body asks.

        Raises:
            Problem: 400 for what is no Parquet, 413 for what becomes too large, 422 for what the
                model does not take.
        """
        if not body:
            raise empty_body()
        try:
            table, given_id = self._table(body)
        except FAULTS as error:
            raise malformed(f"the body is no Parquet: {reason(error)}") from None
        columns = {name: table.column(name) for name in table.column_names}
        return Asked(self._arrays.batch(columns, table.num_rows), id=given_id)

    def _table(self, body: bytes) -> tuple[pa.Table, str | None]:
        numbers = self._checked_groups(body)
        file = pq.ParquetFile(
            pa.BufferReader(body),
            read_dictionary=self._texts,
            thrift_string_size_limit=len(body),
            thrift_container_size_limit=len(body),
        )
        schema = file.schema_arrow
        wanted = self._arrays.wanted(schema.names)
        self._arrays.check_types({name: schema.field(name).type for name in wanted})
        parts = [file.read_row_group(number, wanted, use_threads=False) for number in numbers]
        fields = pa.schema([schema.field(name) for name in wanted])
        table = pa.concat_tables(parts) if parts else fields.empty_table()
        table = table.combine_chunks()
        table.validate(full=True)
        return table, id_of(schema)

    def _checked_groups(self, body: bytes) -> list[int]:
        """Return the row groups that have rows, when all of their pages are looked at.

        Raises:
            Problem: 413, or 422 for an encoding whose size is not told.
        """
        found = {number: group for number, group in enumerate(groups(body)) if group.n_rows}
        if len(found) > _MOST_GROUPS:
            raise ValueError(f"it has more than {_MOST_GROUPS} row groups")
        self._arrays.check_size(sum(group.n_rows for group in found.values()))
        unpacked = n_pages = 0
        for group in found.values():
            for start, stop in group.extents:
                for page in pages(body, start=start, stop=stop):
                    n_pages += 1
                    unpacked += page.unpacked_bytes
                    if n_pages > _MOST_PAGES:
                        raise ValueError(f"it has more than {_MOST_PAGES} pages")
                    if page.encoding == DELTA_BYTE_ARRAY:
                        raise _untold()
            self._arrays.check_size(0, unpacked)
        return list(found)


def _untold() -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "unsupported-encoding",
        "the file holds text in the encoding DELTA_BYTE_ARRAY, which does not say how large it is",
        hint="write it with dictionaries, or plain: both are what writers do by themselves",
    )
