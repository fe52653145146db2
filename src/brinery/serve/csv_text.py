"""CSV bodies: a first line of names, commas between, quotes where they are needed (RFC 4180).

A body that is right is read column by column. What is not is read again value by value, by the
reader that can say why.
"""

from __future__ import annotations

import csv
import io
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from brinery.records.signature import Column, ColumnType, Signature
from brinery.serve.arrays import ArraysReader, malformed
from brinery.serve.arrow_stream import FAULTS, reason
from brinery.serve.asked import Asked
from brinery.serve.batch import ARROW
from brinery.serve.columns import Reader, Rules
from brinery.serve.document import empty_body
from brinery.serve.problems import MAX_ERRORS, FieldError, invalid
from brinery.serve.rows import no_rows

MEDIA_TYPE = "text/csv"

_BOM = b"\xef\xbb\xbf"
_LARGEST_BLOCK = 2**31 - 2
_MISSING = ("", "nan")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
# What pandas reads as a missing value, and so MLflow's own server.
_PANDAS_MISSING = [
    *("", " ", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"),
    *("1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
]


class CsvReader:
    """Reads CSV for one signature.

    Args:
        signature: what the model takes.
        arrays: reads its columns.
        rules: how strictly; as MLflow does, a missing value may be any that pandas takes for one.
    """

    def __init__(self, signature: Signature, arrays: ArraysReader, rules: Rules) -> None:
        self._columns = {column.name: column for column in signature.columns}
        self._arrays = arrays
        self._mlflow = rules.mlflow
        read = Rules(unknown_categories=rules.unknown_categories, mlflow=True)
        self._slow = Reader(signature, read, lambda *_: None)

    def asked(self, body: bytes) -> Asked:
        """Return what a body asks.

        Raises:
            Problem: 400 for what is no CSV, 413 for what becomes too large, 422 for what the model
                does not take.
        """
        if not body.removeprefix(_BOM).strip():
            raise empty_body()
        try:
            table = self._texts(body)
        except (*FAULTS, csv.Error) as error:
            raise malformed(f"the body is no CSV: {reason(error)}") from None
        n_rows = table.num_rows
        if n_rows == 0:
            raise no_rows()
        self._arrays.check_size(n_rows)
        try:
            typed = {
                name: _typed(self._columns[name], table.column(name)) for name in table.column_names
            }
        except FAULTS:
            typed = None
        if typed is not None:
            return Asked(self._arrays.batch(typed, n_rows))
        values = {n: _values(self._columns[n], table.column(n)) for n in table.column_names}
        return Asked(self._slow.batch(values, n_rows))

    def _texts(self, body: bytes) -> pa.Table:
        """Return the columns that are read, as text."""
        names = next(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
        wanted = self._arrays.wanted(names)
        faults: list[FieldError] = []

        def other_width(row: Any) -> str:
            if len(faults) < MAX_ERRORS:
                faults.append(_other_width(row))
            return "skip"

        table = pa.csv.read_csv(
            pa.BufferReader(body),
            read_options=pa.csv.ReadOptions(
                use_threads=False, block_size=min(len(body) + 1, _LARGEST_BLOCK)
            ),
            parse_options=pa.csv.ParseOptions(
                newlines_in_values=True,
                ignore_empty_lines=len(names) > 1,
                invalid_row_handler=other_width,
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.string()),
                include_columns=wanted,
                strings_can_be_null=True,
                quoted_strings_can_be_null=self._mlflow,
                null_values=_PANDAS_MISSING if self._mlflow else [""],
            ),
        )
        if faults:
            raise invalid(faults)
        return table


def _other_width(row: Any) -> FieldError:
    message = f"has {row.actual_columns} values, and the first line names {row.expected_columns}"
    number = None if row.number is None else row.number - 2
    return FieldError(code="wrong-shape", message=message, row=number)


def _typed(column: Column, texts: pa.ChunkedArray) -> pa.Array:
    """Return a column as its own type.

    Raises:
        ValueError: a value is not of it, or written in another way.
    """
    texts = texts.combine_chunks()
    if column.type is ColumnType.STRING:
        return texts
    if column.type is ColumnType.INTEGER and pc.any(pc.match_substring(texts, "x")).as_py():
        raise ValueError("perhaps a number to base 16, which is text here")
    return pc.cast(_without_empty(texts), ARROW[column.type])


def _without_empty(texts: pa.Array) -> pa.Array:
    """Return texts in which an empty one is missing: a number has no other way to be."""
    empty = pc.equal(texts, "")
    return pc.if_else(empty, None, texts) if pc.any(empty).as_py() else texts


def _values(column: Column, texts: pa.ChunkedArray) -> list[Any]:
    """Return the values of a column, which are to be looked at one by one."""
    if column.type is ColumnType.STRING:
        return list(texts.to_pylist())
    stripped = [(text or "").strip() for text in texts.to_pylist()]
    values = [None if text.lower() in _MISSING else text for text in stripped]
    if column.type is ColumnType.BOOLEAN:
        return [None if text is None else _BOOLEANS.get(text.lower(), text) for text in values]
    return values
