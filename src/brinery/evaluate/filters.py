"""Which rows of a table a filter chooses.

A comparison never holds where there is no value, but for `is missing`. What cannot be compared, a
number with a text, is the reason in words. The module must not know what the rows are chosen for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from brinery.evaluate.grouping import floats, is_text, plain
from brinery.specs.filters import Comparison, Filter, Operator, Value
from brinery.specs.names import nearest

Bools = npt.NDArray[np.bool_]

_COMPARED: Final[Mapping[Operator, Callable[[Any, Any], Any]]] = {
    Operator.EQUAL: pc.equal,
    Operator.UNEQUAL: pc.not_equal,
    Operator.LESS: pc.less,
    Operator.AT_MOST: pc.less_equal,
    Operator.GREATER: pc.greater,
    Operator.AT_LEAST: pc.greater_equal,
}
_ORDERS: Final = (Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST)
_LEAST, _MOST = int(np.iinfo(np.int64).min), int(np.iinfo(np.int64).max)


def matching(filter: Filter, table: pa.Table) -> Bools | str:  # noqa: A002 - it is one
    """Return which rows of a table a filter chooses, or why it cannot be told.

    Args:
        filter: of all rows where it has no comparison.
        table: (n_rows,) of any columns.

    Returns:
        (n_rows,) or the reason, in words.
    """
    chosen = np.ones(table.num_rows, np.bool_)
    for comparison in filter.comparisons:
        why = mismatch(comparison, table.schema)
        if why:
            return why
        chosen &= _holds(comparison, plain(table.column(comparison.column)))
    return chosen


def mismatch(comparison: Comparison, schema: pa.Schema) -> str:
    """Return why a column cannot be compared in this way, or an empty text."""
    name = comparison.column
    if name not in schema.names:
        near = nearest(name, schema.names)
        return f"the data has no column '{name}'" + (f": did you mean '{near}'?" if near else "")
    if schema.names.count(name) > 1:
        return f"the data has several columns '{name}'"
    kind = schema.field(name).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if comparison.operator in {Operator.MISSING, Operator.NOT_MISSING}:
        return ""
    held = _held(kind)
    if not held:
        return f"column '{name}' holds values of type {kind}, which are not compared"
    if held == "truth values" and comparison.operator in _ORDERS:
        return f"column '{name}' holds truth values, which have no order"
    strangers = [value for value in comparison.values if not _fits(value, held)]
    return f"column '{name}' holds {held}, and {strangers[0]!r} is none" if strangers else ""


def _held(kind: pa.DataType) -> str:
    """Return what a column of a type holds, in words; empty where nothing is compared with it."""
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "numbers"
    if pa.types.is_boolean(kind):
        return "truth values"
    if is_text(kind):
        return "texts"
    return "times" if pa.types.is_date(kind) or pa.types.is_timestamp(kind) else ""


def _fits(value: Value, held: str) -> bool:
    if isinstance(value, bool):
        return held == "truth values"
    if isinstance(value, str):
        return held == "texts" or (held == "times" and _moment(value) is not None)
    return held == "numbers"


def _holds(comparison: Comparison, values: pa.Array) -> Bools:
    """Return for which rows a comparison holds, its column being fit for it: (n_rows,)."""
    gap = _bools(pc.is_null(values, nan_is_null=True))
    match comparison.operator:
        case Operator.MISSING:
            return gap
        case Operator.NOT_MISSING:
            return ~gap
        case Operator.IN:
            return ~gap & _among(values, comparison.values)
        case Operator.NOT_IN:
            return ~gap & ~_among(values, comparison.values)
        case _:
            return ~gap & _compared(comparison.operator, values, comparison.values[0])


def _among(values: pa.Array, listed: tuple[Value, ...]) -> Bools:
    found = np.zeros(len(values), np.bool_)
    for value in listed:
        found |= _compared(Operator.EQUAL, values, value)
    return found


def _compared(how: Operator, values: pa.Array, value: Value) -> Bools:
    """Return which values a comparison holds for; False for those that are missing."""
    kind = values.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        values = values.cast(pa.timestamp("us", getattr(kind, "tz", None)), safe=False)
        return _bools(_COMPARED[how](values, _instant(_moment(str(value)), values.type)))
    if _held(kind) != "numbers":
        return _bools(_COMPARED[how](values, pa.scalar(value)))
    numbers = _integers(values) if isinstance(value, int) and _LEAST <= value <= _MOST else None
    if numbers is not None:
        return _bools(_COMPARED[how](numbers, pa.scalar(value)))
    return _bools(_COMPARED[how](pa.array(floats(values)), pa.scalar(float(value))))


def _integers(values: pa.Array) -> pa.Array | None:
    """Return whole numbers as such, so that long ones are compared to the last digit."""
    if not pa.types.is_integer(values.type):
        return None
    try:
        return values.cast(pa.int64())
    except pa.ArrowInvalid:
        return None


def _moment(text: str) -> dt.datetime | None:
    """Return the time that a text in ISO 8601 states, or None."""
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _instant(moment: dt.datetime | None, kind: pa.DataType) -> pa.Scalar:
    """Return a time as one of a column: a time without a zone is in that of the column."""
    if moment is not None and moment.tzinfo is not None and kind.tz is None:
        moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    if kind.tz is None or moment is None or moment.tzinfo is not None:
        return pa.scalar(moment, kind)
    return pc.assume_timezone(
        pa.scalar(moment, pa.timestamp("us")), kind.tz, ambiguous="earliest", nonexistent="earliest"
    )


def _bools(values: Any) -> Bools:
    return np.asarray(values.fill_null(False).to_numpy(zero_copy_only=False), np.bool_)  # noqa: FBT003 - pyarrow's
