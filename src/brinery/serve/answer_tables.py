"""Scores become tables, with the columns that `brinery predict` writes: Arrow, Parquet, CSV."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from brinery.flavors import answer_columns
from brinery.records.scores import Scores
from brinery.serve.arrow_stream import ID
from brinery.serve.asked import Asked


def table(scores: Scores) -> pa.Table:
    """Return the answers, as `answer_columns` has them."""
    return pa.table(answer_columns.columns(scores))


def arrow(asked: Asked, scores: Scores) -> bytes:
    """Return an Arrow stream; an id is in the metadata of its schema."""
    found = _named(asked, scores)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, found.schema) as stream:
        stream.write_table(found)
    return _bytes(sink)


def parquet(asked: Asked, scores: Scores) -> bytes:
    """Return a Parquet file; an id is in the metadata of its schema."""
    sink = pa.BufferOutputStream()
    pq.write_table(_named(asked, scores), sink)
    return _bytes(sink)


def csv(_: Asked, scores: Scores) -> bytes:
    """Return CSV, with the names in its first line."""
    sink = pa.BufferOutputStream()
    pa.csv.write_csv(table(scores), sink)
    return _bytes(sink)


def _named(asked: Asked, scores: Scores) -> pa.Table:
    found = table(scores)
    return found if asked.id is None else found.replace_schema_metadata({ID: asked.id.encode()})


def _bytes(sink: pa.BufferOutputStream) -> bytes:
    content: bytes = sink.getvalue().to_pybytes()
    return content
