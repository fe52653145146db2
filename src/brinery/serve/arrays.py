"""Arrow arrays become a batch, a column at a time: no Python object is made for a number.

The rules are those of JSON. What differs is what the formats cannot say otherwise: NaN stands for a
missing number, and a column has one type, so that where it is another one is told once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from brinery.records.column_value import moment
from brinery.records.signature import Column, ColumnType, Signature
from brinery.serve.batch import ARROW, Batch
from brinery.serve.columns import Reader, Rules
from brinery.serve.problems import MAX_ERRORS, FieldError, Problem, invalid
from brinery.serve.rows import no_rows

# What a body becomes when it is read may be so many times the largest body.
EXPANSION = 8

_Mask = npt.NDArray[np.bool_]
_INT64 = 2**63
_VALUE_BYTES = 8
_SHOWN = 40
# In microseconds since 1970: what Python's own times can be, the years 1 to 9999.
_FIRST_US = -62_135_596_800_000_000
_LAST_US = 253_402_300_799_999_999


class ArraysReader:
    """Reads columns of one signature that came as arrays.

    Args:
        signature: what the model takes.
        rules: how strictly.
        max_body_bytes: of a request; what it becomes may be `EXPANSION` times that.
    """

    def __init__(self, signature: Signature, rules: Rules, *, max_body_bytes: int) -> None:
        self._signature = signature
        self._lenient = rules.mlflow
        self._all_categories = rules.unknown_categories
        self._reader = Reader(signature, rules, lambda *_: None)
        self._types = {column.name: column.type for column in signature.columns}
        self.names = [column.name for column in signature.columns]
        self.max_bytes = EXPANSION * max_body_bytes

    def wanted(self, names: Sequence[str]) -> list[str]:
        """Return which of the columns of a body are read, in the order of the signature.

        Raises:
            Problem: 422 where one is there twice, is not known, or is not there.
        """
        given = set(names)
        faults = [_twice(name) for name in _repeated(names) if name in self._types]
        if not self._lenient:
            strange = (name for name in names if name not in self._types)
            faults += [self._reader.unknown_column(name) for name in islice(strange, MAX_ERRORS)]
        faults += [
            self._reader.missing_column(column.name)
            for column in self._signature.columns
            if column.required and column.name not in given
        ]
        if faults:
            raise invalid(faults[:MAX_ERRORS])
        return [name for name in self.names if name in given]

    def check_types(self, types: Mapping[str, pa.DataType]) -> None:
        """Raise where a column is of a type that cannot be its own.

        Raises:
            Problem: 422, with all of them.
        """
        faults = [
            fault
            for column in self._signature.columns
            if column.name in types
            for fault in _type_faults(column, types[column.name])
        ]
        if faults:
            raise invalid(faults[:MAX_ERRORS])

    def check_size(self, n_rows: int, n_bytes: int = 0) -> None:
        """Raise where so many rows, or bytes of them, are too many.

        Raises:
            Problem: 413.
        """
        if max(n_rows * len(self.names) * _VALUE_BYTES, n_bytes) > self.max_bytes:
            raise too_large(self.max_bytes)

    def batch(self, arrays: Mapping[str, pa.Array], n_rows: int) -> Batch:
        """Return the rows, checked.

        Args:
            arrays: column name to (n_rows,) values that are valid, of types that were checked; a
                column that is absent is missing in every row.
            n_rows: how many rows there are.

        Raises:
            Problem: 413 where they are too large, 422 with the first faults, in the order of rows.
        """
        if n_rows == 0:
            raise no_rows()
        self.check_size(n_rows)
        faults: list[FieldError] = []
        read: dict[str, pa.Array] = {}
        for column in self._signature.columns:
            array = arrays.get(column.name)
            if array is None:
                read[column.name] = pa.nulls(n_rows, ARROW[column.type])
                continue
            found = self._read(column, _whole(array))
            read[column.name] = found.array
            faults += self._faults(column, array, found)
        if faults:
            raise invalid(sorted(faults, key=lambda fault: fault.row or 0)[:MAX_ERRORS])
        return Batch(self._types, n_rows, in_arrays=read)

    def _read(self, column: Column, array: pa.Array) -> _Read:
        """Return a column as its own type, and where its values are refused."""
        if pa.types.is_null(array.type):
            found = _Read(pa.nulls(len(array), ARROW[column.type]))
        else:
            self._check_text(array)
            if pa.types.is_dictionary(array.type) and column.type is not ColumnType.STRING:
                array = array.dictionary_decode()
            found = _READERS[column.type](array)
        if not self._all_categories and column.categories is not None:
            found = found.also(_unknown(found.array, column.categories))
        if found.array.null_count and not self._reader.may_be_missing(column):
            found = found.also(_mask(found.array.is_null()))
        return found

    def _check_text(self, array: pa.Array) -> None:
        """Raise where texts that are written once and meant many times are too large.

        Raises:
            Problem: 413.
        """
        shared = pa.types.is_dictionary(array.type)
        texts = array.dictionary if shared else array
        if not _is_text(texts.type) or not (shared or pa.types.is_string_view(texts.type)):
            return
        lengths = _lengths(texts)
        if int(lengths.max(initial=0)) * len(array) > self.max_bytes:
            if shared:
                lengths = lengths.take(array.indices.drop_null().to_numpy())
            self.check_size(0, int(lengths.sum()))

    def _faults(self, column: Column, given: pa.Array, found: _Read) -> Iterable[FieldError]:
        if found.refused is None:
            return
        for row in np.flatnonzero(found.refused)[:MAX_ERRORS].tolist():
            if found.reason is not None and found.array[row].is_valid:
                yield FieldError(
                    code="out-of-range", message=found.reason, row=row, column=column.name
                )
                continue
            value = given[row].as_py()
            if isinstance(value, float) and value != value:  # noqa: PLR0124 - NaN is the only such value
                value = None
            fault = self._reader.fault(column, value, row=row)
            if fault is not None:
                yield fault


class _Read(NamedTuple):
    """A column as its own type.

    Attributes:
        array: (n_rows,).
        refused: (n_rows,) where a value is none that the column takes; None where that is nowhere.
        reason: why; None where the value itself tells it.
    """

    array: pa.Array
    refused: _Mask | None = None
    reason: str | None = None

    def also(self, refused: _Mask) -> _Read:
        """Return it with further values refused."""
        if not refused.any():
            return self
        return self._replace(refused=refused if self.refused is None else self.refused | refused)


def too_large(limit: int) -> Problem:
    """Return the problem of a body that becomes too large when it is read."""
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "body-too-large",
        f"the body holds more than {limit / 1e6:g} MB when it is read",
        hint="send fewer rows at a time, or score the file with brinery predict",
    )


def malformed(detail: str) -> Problem:
    """Return the problem of a body that is not what it is said to be."""
    return Problem(HTTPStatus.BAD_REQUEST, "malformed-body", detail)


def _numbers(array: pa.Array) -> _Read:
    values = _floats(array)
    finite = np.isfinite(values)
    if finite.all():
        return _Read(pa.array(values))
    return _Read(pa.array(values, from_pandas=True)).also(np.isinf(values))


def _integers(array: pa.Array) -> _Read:
    if not pa.types.is_floating(array.type):
        typed = array.cast(pa.int64(), safe=False)
        if pa.types.is_uint64(array.type):
            return _Read(typed).also(_mask(pc.less(typed, 0)))
        return _Read(typed)
    values = _floats(array)
    missing = np.isnan(values)
    fits = (values == np.floor(values)) & (values >= -_INT64) & (values < _INT64)
    whole = np.where(fits, values, 0.0).astype(np.int64)
    return _Read(pa.array(whole, mask=missing)).also(~(fits | missing))


def _texts(array: pa.Array) -> _Read:
    if not pa.types.is_dictionary(array.type):
        return _Read(array.cast(pa.string()))
    indices, known = array.indices.cast(pa.int32()), array.dictionary.cast(pa.string())
    if known.null_count:
        indices = pc.if_else(known.is_valid().take(indices), indices, None)
        known = pc.fill_null(known, "")
    return _Read(pa.DictionaryArray.from_arrays(indices, known))


def _booleans(array: pa.Array) -> _Read:
    return _Read(array)


def _times(array: pa.Array) -> _Read:
    """Return times in UTC, without a zone; parts of a microsecond are cut off."""
    if _is_text(array.type):
        return _written_times(array.cast(pa.string()))
    kind = array.type
    if not pa.types.is_timestamp(kind):
        array = array.cast(pa.timestamp("ms"), safe=False)
        kind = array.type
    scale, divisor = _MICROSECONDS[kind.unit]
    units = array.cast(pa.timestamp(kind.unit)).view(pa.int64())
    low = max(_FIRST_US * divisor // scale, -_INT64)
    high = min(_LAST_US * divisor // scale, _INT64 - 1)
    outside = pc.or_(pc.less(units, low), pc.greater(units, high))
    refused = _mask(outside)
    if refused.any():
        units = pc.if_else(outside, 0, units)
    typed = units.view(pa.timestamp(kind.unit)).cast(pa.timestamp("us"), safe=False)
    return _Read(typed, reason="takes a time of the years 1 to 9999").also(refused)


def _written_times(texts: pa.Array) -> _Read:
    """Return times that came as text."""
    try:
        return _Read(texts.cast(pa.timestamp("us")))
    except pa.ArrowInvalid:
        pass  # one has a zone, or states no time
    read = [None if text is None else moment(text) for text in texts.to_pylist()]
    typed = pa.array(read, pa.timestamp("us"))
    return _Read(typed).also(_mask(pc.and_(typed.is_null(), texts.is_valid())))


# How many microseconds a unit is, and how many of it a microsecond.
_MICROSECONDS = {"s": (1_000_000, 1), "ms": (1000, 1), "us": (1, 1), "ns": (1, 1000)}

_READERS = {
    ColumnType.INTEGER: _integers,
    ColumnType.NUMBER: _numbers,
    ColumnType.STRING: _texts,
    ColumnType.BOOLEAN: _booleans,
    ColumnType.DATETIME: _times,
}


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _is_time(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind) or _is_text(kind))


_TAKEN = {
    ColumnType.INTEGER: ("an integer", _is_number),
    ColumnType.NUMBER: ("a number", _is_number),
    ColumnType.STRING: ("text", _is_text),
    ColumnType.BOOLEAN: ("a boolean", pa.types.is_boolean),
    ColumnType.DATETIME: ("a time", _is_time),
}


def _type_faults(column: Column, kind: pa.DataType) -> Iterable[FieldError]:
    what, takes = _TAKEN[column.type]
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not (takes(inner) or pa.types.is_null(kind)):
        found = "text" if _is_text(inner) else str(inner)[:_SHOWN]
        message = f"takes {what}, and the column is of type {found}"
        yield FieldError(code="wrong-type", message=message, column=column.name)


def _floats(array: pa.Array) -> npt.NDArray[np.float64]:
    """Return numbers as float64, NaN where one is missing: (n_rows,)."""
    found: npt.NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return found.astype(np.float64, copy=False)


def _unknown(array: pa.Array, categories: Sequence[Any]) -> _Mask:
    """Return where values are none of the categories; a missing value is not asked."""
    if pa.types.is_dictionary(array.type):
        known = set(categories)
        places = [p for p, text in enumerate(array.dictionary.to_pylist()) if text not in known]
        if not places:
            return np.zeros(len(array), dtype=bool)
        return _mask(pc.is_in(array.indices, pa.array(places, pa.int32())))
    if pa.types.is_string(array.type):
        known_texts = pa.array([one for one in categories if isinstance(one, str)], pa.string())
        return _mask(pc.invert(pc.is_in(array, known_texts))) & _mask(array.is_valid())
    known = set(categories)
    distinct = array.unique()
    strange = [value for value in distinct.to_pylist() if value is not None and value not in known]
    return _mask(pc.is_in(array, pa.array(strange, array.type)))


def _lengths(texts: pa.Array) -> npt.NDArray[np.int64]:
    """Return how many bytes each text has: (n,), 0 for a missing one."""
    if not pa.types.is_string_view(texts.type):
        found = pc.fill_null(pc.binary_length(texts), 0).to_numpy(zero_copy_only=False)
        return np.asarray(found, dtype=np.int64)
    # Of the 16 bytes that a view has, the first 4 are the length.
    views = np.frombuffer(texts.buffers()[1], dtype="<i4").reshape(-1, 4)
    found = views[texts.offset : texts.offset + len(texts), 0].astype(np.int64)
    return np.where(_mask(texts.is_valid()), found, 0)


def _mask(array: pa.Array) -> _Mask:
    """Return an array of booleans, false where one is missing: (n_rows,)."""
    if array.null_count:
        array = pc.fill_null(array, fill_value=False)
    found: _Mask = array.to_numpy(zero_copy_only=False)
    return found


def _whole(array: Any) -> pa.Array:
    """Return the parts of a column as one array."""
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _repeated(names: Sequence[str]) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]


def _twice(name: str) -> FieldError:
    return FieldError(code="duplicate-column", message="is there twice", column=name)
