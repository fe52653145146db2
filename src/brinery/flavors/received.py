"""What came from a model's process, checked before anything is made of it.

The process may be run by whoever wrote the model. What it sends is decoded into records of known
types and arrays of plain ones, is as large as was asked for, and shows nothing on a terminal but
its letters. What does not fit is refused whole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import msgspec
import pyarrow as pa

from brinery import errors
from brinery.flavors import messages, outputs, tables
from brinery.pickles import words

_MOST_SAID = 200
_MOST_COLUMNS = 10_000
_FREE_BYTES, _ROW_BYTES, _CLASS_BYTES = 1 << 20, 1 << 14, 16
# Of a column of several: what describes it, with its name; and one of its values.
_OUTPUT_BYTES, _VALUE_BYTES = 1 << 10, 16
_PREDICTION, _PROBABILITY = "prediction", "p"

# What a reader of a damaged table may raise.
_DAMAGE = (pa.ArrowException, OSError, struct.error, ValueError, TypeError, IndexError)

# Of Arrow's metadata: where a message keeps its header, and a record batch its compression.
_HEADER_FIELD, _COMPRESSION_FIELD = 2, 3


class Unfit(Exception):
    """What came is no answer; the message says why."""


def answer(header: bytes, number: int) -> messages.Answer:
    """Return the answer to the question with a number.

    Raises:
        Unfit: it is none, answers another question, or holds text that would steer a terminal.
    """
    try:
        found = messages.ANSWERS.decode(header)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Unfit(words.plain(str(error))) from None
    if found.number != number:
        raise Unfit("it is the answer to another question")
    if not isinstance(found.reply, messages.Failed):
        reply = msgspec.to_builtins(found.reply)
        reply.pop("warnings", None)  # these are made plain where they are read
        if any(map(_steers, _texts(reply))):
            raise Unfit("a name in it has control characters")
    return found


def said(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a process said, made fit to be shown, and not too much of it."""
    return tuple(words.plain(text) for text in texts[:_MOST_SAID])


def error(failed: messages.Failed) -> errors.BrineryError:
    """Return the error that a reply names."""
    kind = getattr(errors, failed.error, None)
    message, hint = words.plain(failed.message), words.plain(failed.hint)
    if isinstance(kind, type) and issubclass(kind, errors.BrineryError):
        return kind(message, hint=hint)
    return errors.Fault(message, hint=hint)


def most_bytes(rows: int, classes: int) -> int:
    """Return how large the answers for so many rows may be."""
    values = min(rows * outputs.MOST_OUTPUTS, outputs.MOST_VALUES)
    several = outputs.MOST_OUTPUTS * _OUTPUT_BYTES + values * _VALUE_BYTES
    return _FREE_BYTES + rows * (_ROW_BYTES + _CLASS_BYTES * (classes + 1)) + several


def check_scores(payload: memoryview, *, rows: int, classes: int) -> pa.Table:
    """Return the table of a payload that holds scores: plain columns, all rows, sound within.

    It is read from the payload once: another reader could make another table of the same bytes,
    of which nothing was checked.

    Args:
        payload: an Arrow stream.
        rows: how many were asked about.
        classes: how many the model has; where it has none, probabilities of any number may come.

    Raises:
        Unfit: it holds something else.
    """
    try:
        batches = list(_batches(payload))
        table = pa.Table.from_batches(batches[1:], batches[0])
        table.validate(full=True)
    except _DAMAGE as error:
        raise Unfit(f"its table is damaged: {words.plain(str(error))}") from None
    if table.num_rows != rows:
        raise Unfit(f"it has {table.num_rows} rows, and {rows} were asked about")
    if b"outputs" in (table.schema.metadata or {}):
        _check_outputs(table)
        return table
    names = table.column_names
    expected = (0, classes) if classes else range(_MOST_COLUMNS)
    probabilities = [f"{_PROBABILITY}{number}" for number in range(len(names) - 1)]
    if names != [_PREDICTION, *probabilities] or len(probabilities) not in expected:
        raise Unfit("its columns are others than those of scores")
    if not all(table.schema.field(name).type == pa.float64() for name in probabilities):
        raise Unfit("its probabilities are no float64")
    _check_column(table.column(_PREDICTION))
    return table


def _check_outputs(table: Any) -> None:
    """Check that a table holds several values for each row, and a sound name for each of them.

    Raises:
        Unfit: it does not.
    """
    names = tables.output_names(table.schema.metadata)
    count = table.num_columns
    if table.column_names != [f"{_PREDICTION}{number}" for number in range(count)]:
        raise Unfit("its columns are others than those of several values")
    if not 1 < count <= outputs.MOST_OUTPUTS or count != len(names):
        raise Unfit(f"it names {len(names)} values, and has {count}")
    if not outputs.are_names(names):
        raise Unfit("the names of its values are told twice, too long, or cannot be shown")
    for column in table.columns:
        _check_column(column)


def _check_column(column: Any) -> None:
    """Check that a column holds predictions.

    Raises:
        Unfit: it does not.
    """
    if not _plain(column.type):
        raise Unfit(f"its predictions are of the type {words.plain(str(column.type))}")
    if pa.types.is_string(column.type) and any(
        _steers(text) for text in column.unique().to_pylist() if text is not None
    ):
        raise Unfit("a prediction has control characters")


def _batches(payload: memoryview) -> Iterator[Any]:
    """Yield the schema of a stream, and its batches; nothing is decompressed and nothing shared.

    A compressed batch of a few bytes may fill the memory.
    """
    reader = pa.ipc.MessageReader.open_stream(pa.py_buffer(payload))
    message = next(reader, None)
    if message is None or message.type != "schema":
        raise Unfit("its table has no schema")
    schema = pa.ipc.read_schema(message)
    if not all(_plain(field.type) for field in schema):
        raise Unfit("its columns are of other types than those of scores")
    yield schema
    for message in reader:
        if message.type != "record batch" or _is_compressed(message.metadata):
            raise Unfit("its table is packed in a way that none of ours is")
        yield pa.ipc.read_record_batch(message, schema)


def _is_compressed(metadata: Any) -> bool:
    """Return whether a batch says that its columns are compressed: a field of its flat buffer."""
    held = memoryview(metadata)
    message = _u32(held, 0)
    header_at = message + _field(held, message, _HEADER_FIELD)
    batch = header_at + _u32(held, header_at)
    return _field(held, batch, _COMPRESSION_FIELD) != 0


def _field(held: memoryview, table: int, position: int) -> int:
    """Return where a field of a table is, counted from the table; 0 where it is not."""
    (back,) = struct.unpack_from("<i", held, table)
    fields = table - back
    (size,) = struct.unpack_from("<H", held, fields)
    place = 4 + 2 * position
    return int(struct.unpack_from("<H", held, fields + place)[0]) if place < size else 0


def _u32(held: memoryview, place: int) -> int:
    return int(struct.unpack_from("<I", held, place)[0])


def _plain(kind: Any) -> bool:
    """Return whether a column type is of numbers, text, truth or time."""
    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_boolean(kind)
        or types.is_string(kind)
        or types.is_timestamp(kind)
        or types.is_date(kind)
        or types.is_null(kind)
    )


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in a record that was made of built-in types."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, dict):
            waiting += [*found, *found.values()]
        elif isinstance(found, (list, tuple)):
            waiting += found


def _steers(text: str) -> bool:
    """Return whether a text has characters that a terminal obeys; line ends and tabs may be."""
    return not (text.isascii() and text.isprintable()) and any(map(words.steers, text))
