"""Arrow IPC streams: rows in bulk, taken as they lie in the body.

A message may say that its buffers are compressed and how large they become. That is read, and
refused where it is too large, before anything is unpacked.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pyarrow as pa

from brinery.serve.arrays import ArraysReader, malformed
from brinery.serve.asked import Asked
from brinery.serve.document import empty_body

MEDIA_TYPE = "application/vnd.apache.arrow.stream"

ID = b"id"
_LONGEST_ID = 1000
_END_BYTES = 8
# What reading a hostile body may raise.
FAULTS = (
    pa.ArrowException,
    OSError,
    ValueError,
    OverflowError,
    TypeError,
    LookupError,
    struct.error,
)

# The places of fields in the tables of Arrow's flatbuffers. Source: Message.fbs of the format.
_HEADER = 2
_DATA = 1
_BUFFERS, _COMPRESSION = 2, 3


class ArrowReader:
    """Reads Arrow streams for one signature.

    Args:
        arrays: reads their columns.
    """

    def __init__(self, arrays: ArraysReader) -> None:
        self._arrays = arrays

    def asked(self, body: bytes) -> Asked:
        """Return what a body asks.

        Raises:
            Problem: 400 for what is no whole stream, 413 for one that becomes too large, 422 for
                what the model does not take.
        """
        if not body:
            raise empty_body()
        try:
            table, given_id = self._table(body)
        except FAULTS as error:
            raise malformed(f"the body is no Arrow stream: {reason(error)}") from None
        columns = {name: table.column(name) for name in table.column_names}
        return Asked(self._arrays.batch(columns, table.num_rows), id=given_id)

    def _table(self, body: bytes) -> tuple[pa.Table, str | None]:
        buffer = pa.py_buffer(body)
        declared = 0
        for message in _messages(buffer):
            declared += _unpacked_bytes(message)
            self._arrays.check_size(0, declared)
        with pa.ipc.open_stream(buffer) as stream:
            schema = stream.schema
            wanted = self._arrays.wanted(schema.names)
            self._arrays.check_types({name: schema.field(name).type for name in wanted})
            batches = []
            n_rows = 0
            for batch in stream:
                n_rows += batch.num_rows
                self._arrays.check_size(n_rows)
                part = batch.select(wanted)
                part.validate(full=True)
                batches.append(part)
            fields = pa.schema([schema.field(name) for name in wanted])
            table = pa.Table.from_batches(batches, fields).combine_chunks()
        return table, id_of(schema)


def id_of(schema: pa.Schema) -> str | None:
    """Return what a client calls its request in the metadata of a schema; None for nothing."""
    said = (schema.metadata or {}).get(ID)
    return None if said is None else said[:_LONGEST_ID].decode(errors="replace")


def reason(error: BaseException) -> str:
    """Return an error as a part of a sentence, not a long one."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def _messages(buffer: pa.Buffer) -> Iterator[pa.Message]:
    """Give the messages of a stream.

    Raises:
        ValueError: it has no end, or goes on after it.
    """
    source = pa.BufferReader(buffer)
    reader = pa.ipc.MessageReader.open_stream(source)
    while True:
        before = source.tell()
        try:
            yield reader.read_next_message()
        except StopIteration:
            break
    if source.tell() - before != _END_BYTES:
        raise ValueError("it has no end, so that a part of it may be missing")
    if source.tell() != buffer.size:
        raise ValueError("it goes on after its end")


def _unpacked_bytes(message: pa.Message) -> int:
    """Return how many bytes the compressed buffers of a message say that they become."""
    if message.type not in ("record batch", "dictionary"):
        return 0
    metadata = memoryview(message.metadata)
    (root,) = struct.unpack_from("<I", metadata)
    batch = _table_at(metadata, root, _HEADER)
    if message.type == "dictionary" and batch is not None:
        batch = _table_at(metadata, batch, _DATA)
    if batch is None or _field(metadata, batch, _COMPRESSION) is None:
        return 0
    buffers = _table_at(metadata, batch, _BUFFERS)
    if buffers is None:
        return 0
    body = memoryview(message.body)
    (count,) = struct.unpack_from("<I", metadata, buffers)
    total = 0
    for place in range(count):
        offset, length = struct.unpack_from("<qq", metadata, buffers + 4 + 16 * place)
        if length:
            (unpacked,) = struct.unpack_from("<q", body, offset)
            total += length if unpacked < 0 else unpacked
    return total


def _field(metadata: memoryview, table: int, place: int) -> int | None:
    """Return where a field of a flatbuffers table lies; None where it is not there."""
    (back,) = struct.unpack_from("<i", metadata, table)
    vtable = table - back
    (size,) = struct.unpack_from("<H", metadata, vtable)
    if 4 + 2 * place >= size:
        return None
    (offset,) = struct.unpack_from("<H", metadata, vtable + 4 + 2 * place)
    return table + offset if offset else None


def _table_at(metadata: memoryview, table: int, place: int) -> int | None:
    """Return where a table or a list that a field points to lies."""
    field = _field(metadata, table, place)
    if field is None:
        return None
    (ahead,) = struct.unpack_from("<I", metadata, field)
    return field + int(ahead)
