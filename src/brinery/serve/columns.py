"""Columns of JSON values become a typed table, or a list of what is wrong with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

import pyarrow as pa

from brinery.records.signature import Column, ColumnType, Signature
from brinery.serve.problems import MAX_ERRORS, FieldError

_ARROW = {
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.STRING: pa.string(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATETIME: pa.timestamp("us"),
}
_INT64 = range(-(2**63), 2**63)
_SHOWN = 40
_LISTED = 10
_SEARCHED = 100  # of a thousand categories; a search takes time that others wait for


@dataclass(frozen=True)
class Rules:
    """How strictly values are read.

    Attributes:
        unknown_categories: whether a category the model never saw is let through; a missing value
            is one more of them.
        mlflow: whether a number may be written as text, and a missing value as NaN, as MLflow lets
            them be.
    """

    unknown_categories: bool = False
    mlflow: bool = False


class Reader:
    """Reads the columns of one signature.

    Args:
        signature: what the model takes.
        rules: how strictly.
        pointer: makes the JSON pointer of a row's column.
    """

    def __init__(
        self, signature: Signature, rules: Rules, pointer: Callable[[int, str], str]
    ) -> None:
        self._signature = signature
        self._rules = rules
        self._pointer = pointer
        self._names = [column.name for column in signature.columns]

    def unknown_column(self, name: str, row: int | None = None) -> FieldError:
        """Return the fault of a column the model does not have."""
        short = _short(name)
        near = get_close_matches(short, self._names, n=1)
        return FieldError(
            code="unknown-column",
            message="is not a column of this model"
            + (f": did you mean '{_short(near[0])}'?" if near else ""),
            row=row,
            column=short,
            pointer=self._pointer(row, name) if row is not None and short == name else None,
        )

    def missing_column(self, name: str, row: int | None = None) -> FieldError:
        """Return the fault of a column that is not there."""
        return FieldError(
            code="missing-column",
            message="is required",
            row=row,
            column=name,
            pointer=self._pointer(row, name) if row is not None else None,
        )

    def table(
        self, values: Mapping[str, Sequence[Any]], n_rows: int
    ) -> tuple[pa.Table, list[FieldError]]:
        """Return the table of the signature's columns, and the faults found in the values.

        Args:
            values: column name to its values, each n_rows long; one that is absent is missing in
                every row.
            n_rows: how many rows there are.
        """
        faults: list[FieldError] = []
        arrays = []
        for column in self._signature.columns:
            given = values.get(column.name)
            if given is None:
                arrays.append(pa.nulls(n_rows, _ARROW[column.type]))
                continue
            read = self._read(column, given, faults)
            arrays.append(_array(column, read) if not faults else pa.nulls(n_rows))
        return pa.table(arrays, names=self._names), faults

    def _read(
        self, column: Column, given: Sequence[Any], faults: list[FieldError]
    ) -> Sequence[Any]:
        """Return the values as the column's type; what cannot be is added to the faults."""
        kinds = set(map(type, given))
        if kinds <= _PLAIN[column.type] and column.categories is None:
            return given
        known = None if self._rules.unknown_categories else _known(column)
        read = []
        for row, value in enumerate(given):
            try:
                read.append(self._value(column, value, known))
            except _Refused as refused:
                faults.append(self._fault(column, row, refused))
                if len(faults) >= MAX_ERRORS:
                    break
        return read

    def _value(self, column: Column, value: Any, known: frozenset[Any] | None) -> Any:
        if value is None or (self._rules.mlflow and _is_nan(value)):
            if column.nullable or (self._rules.unknown_categories and column.categories):
                return None
            raise _Refused("missing-value", "may not be missing: the model does not fill it in")
        if self._rules.mlflow:
            value = _coerced(column, value)
        read = _READERS[column.type](value)
        if known is not None and read not in known:
            raise _Refused("unknown-category", _unknown_category(column, read))
        return read

    def _fault(self, column: Column, row: int, refused: _Refused) -> FieldError:
        return FieldError(
            code=refused.code,
            message=refused.message,
            row=row,
            column=column.name,
            pointer=self._pointer(row, column.name),
        )


class _Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def _wrong(column_type: ColumnType, value: Any) -> _Refused:
    names: dict[type, str] = {bool: "a boolean", str: "text", list: "a list", dict: "an object"}
    found = names.get(type(value), "a number")
    article = "an" if column_type is ColumnType.INTEGER else "a"
    what = "text" if column_type is ColumnType.STRING else f"{article} {column_type}"
    return _Refused("wrong-type", f"takes {what}, not {found}")


def _nan() -> _Refused:
    return _Refused("not-a-number", "takes a number, not NaN: a missing value is written as null")


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _integer(value: Any) -> int:
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int:
        if _is_nan(value):
            raise _nan()
        if type(value) is float:
            raise _Refused("wrong-type", "takes a whole number")
        raise _wrong(ColumnType.INTEGER, value)
    if value not in _INT64:
        raise _Refused("out-of-range", "takes a whole number of at most 64 bits")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise _wrong(ColumnType.NUMBER, value)
    try:
        read = float(value)
    except OverflowError:
        read = math.inf
    if math.isnan(read):
        raise _nan()
    if math.isinf(read):
        raise _Refused("out-of-range", "takes a finite number")
    return read


def _string(value: Any) -> str:
    if type(value) is not str:
        raise _wrong(ColumnType.STRING, value)
    return value


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise _wrong(ColumnType.BOOLEAN, value)
    return value


def _datetime(value: Any) -> datetime:
    if type(value) is not str:
        raise _wrong(ColumnType.DATETIME, value)
    try:
        read = datetime.fromisoformat(value)
        return read.astimezone(UTC).replace(tzinfo=None) if read.tzinfo else read
    except (ValueError, OverflowError):
        raise _Refused("wrong-type", "takes a time as in 2026-01-31T12:00:00") from None


_READERS: dict[ColumnType, Callable[[Any], Any]] = {
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.STRING: _string,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATETIME: _datetime,
}

# Where every value of a column is one of these, none needs a closer look.
_PLAIN: dict[ColumnType, set[type]] = {
    ColumnType.INTEGER: set(),
    ColumnType.NUMBER: set(),
    ColumnType.STRING: {str},
    ColumnType.BOOLEAN: {bool},
    ColumnType.DATETIME: set(),
}


def _coerced(column: Column, value: Any) -> Any:
    """Return text that states a number as that number."""
    if type(value) is str and column.type in (ColumnType.INTEGER, ColumnType.NUMBER):
        for number in (int, float):
            with suppress(ValueError):
                return number(value)
    return value


def _known(column: Column) -> frozenset[Any] | None:
    return frozenset(column.categories) if column.categories is not None else None


def _unknown_category(column: Column, value: Any) -> str:
    known = [_short(str(category)) for category in column.categories or ()]
    given = _short(str(value))
    near = get_close_matches(given, known[:_SEARCHED], n=1)
    if near:
        return f"has no category '{given}': did you mean '{near[0]}'?"
    shown = ", ".join(known[:_LISTED]) + (", …" if len(known) > _LISTED else "")
    return f"has no category '{given}': the model knows {shown}"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _array(column: Column, values: Sequence[Any]) -> pa.Array:
    return pa.array(values, type=_ARROW[column.type])
