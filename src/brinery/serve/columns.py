"""Columns of JSON values become a typed table, or a list of what is wrong with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from brinery.records import column_value
from brinery.records.column_value import READERS, WrongValue
from brinery.records.signature import Column, ColumnType, Signature
from brinery.serve.batch import Batch
from brinery.serve.problems import MAX_ERRORS, FieldError, invalid

_UNKNOWN_CATEGORY = "unknown-category"


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
        pointer: makes the JSON pointer of a row's column, or None where there is none.
    """

    def __init__(
        self, signature: Signature, rules: Rules, pointer: Callable[[int, str], str | None]
    ) -> None:
        self._signature = signature
        self._rules = rules
        self._pointer = pointer
        self._names = [column.name for column in signature.columns]
        self._types = {column.name: column.type for column in signature.columns}

    def unknown_column(self, name: str, row: int | None = None) -> FieldError:
        """Return the fault of a column the model does not have."""
        short = column_value.short(name)
        return FieldError(
            code="unknown-column",
            message=column_value.unknown_column(name, self._names),
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

    def fault(self, column: Column, value: Any, *, row: int) -> FieldError | None:
        """Return what is wrong with a value; None where nothing is."""
        try:
            self._value(column, value, None if self._rules.unknown_categories else _known(column))
        except WrongValue as wrong:
            return self._fault(_Refused(row, column, value, wrong))
        return None

    def may_be_missing(self, column: Column) -> bool:
        """Return whether values of a column may be missing."""
        return column.nullable or (self._rules.unknown_categories and column.categories is not None)

    def batch(
        self,
        values: Mapping[str, Sequence[Any]],
        n_rows: int,
        *,
        faults: Sequence[FieldError] = (),
    ) -> Batch:
        """Return the values of the signature's columns, checked.

        Args:
            values: column name to its values, each n_rows long; one that is absent is missing in
                every row.
            n_rows: how many rows there are.
            faults: what was found wrong with the columns themselves; told with the rest.

        Raises:
            Problem: 422 with the first faults, in the order of the rows.
        """
        refused: list[_Refused] = []
        checked: dict[str, Sequence[Any]] = {}
        for column in self._signature.columns:
            given = values.get(column.name)
            if given is None:
                checked[column.name] = [None] * n_rows
            else:
                checked[column.name] = self._read(column, given, refused)
        if refused or faults:
            told = {(fault.row, fault.column) for fault in faults}
            refused = [r for r in refused if (r.row, r.column.name) not in told]
            refused.sort(key=lambda one: one.row)
            found = [*faults, *(self._fault(one) for one in refused[:MAX_ERRORS])]
            raise invalid(sorted(found, key=lambda fault: fault.row or 0)[:MAX_ERRORS])
        return Batch(self._types, n_rows, in_columns=checked)

    def _read(self, column: Column, given: Sequence[Any], refused: list[_Refused]) -> Sequence[Any]:
        """Return the values as the column's type; the first that cannot be are refused."""
        if column.categories is None and set(map(type, given)) <= _PLAIN[column.type]:
            return given
        known = None if self._rules.unknown_categories else _known(column)
        most = len(refused) + MAX_ERRORS
        read = []
        for row, value in enumerate(given):
            try:
                read.append(self._value(column, value, known))
            except WrongValue as wrong:
                refused.append(_Refused(row, column, value, wrong))
                if len(refused) == most:
                    break
        return read

    def _value(self, column: Column, value: Any, known: frozenset[Any] | None) -> Any:
        if value is None or (self._rules.mlflow and _is_nan(value)):
            if self.may_be_missing(column):
                return None
            raise column_value.missing()
        if self._rules.mlflow:
            value = _coerced(column, value)
        read = READERS[column.type](value)
        if known is not None and read not in known:
            raise WrongValue(_UNKNOWN_CATEGORY)
        return read

    def _fault(self, refused: _Refused) -> FieldError:
        row, column, value, wrong = refused
        unknown = wrong.code == _UNKNOWN_CATEGORY
        return FieldError(
            code=wrong.code,
            message=column_value.unknown_category(column, value) if unknown else wrong.message,
            row=row,
            column=column.name,
            pointer=self._pointer(row, column.name),
        )


class _Refused(NamedTuple):
    row: int
    column: Column
    value: Any
    wrong: WrongValue


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


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
    numeric = column.type in (ColumnType.INTEGER, ColumnType.NUMBER)
    if numeric and type(value) is str and "_" not in value:
        for number in (int, float):
            with suppress(ValueError):
                return number(value)
    return value


def _known(column: Column) -> frozenset[Any] | None:
    return frozenset(column.categories) if column.categories is not None else None
