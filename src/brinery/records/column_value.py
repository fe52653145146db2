"""One value of a request, as its column's type, or what is wrong with it, in a code and words.

The endpoints and the packages read values by these rules alone. They travel in packages, and so
run on every Python that a package does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any, Optional

from brinery.records.signature import Column, ColumnType
from brinery.specs.names import nearest

_INT64 = range(-(2**63), 2**63)
_SHOWN = 40
_LISTED = 10
_SEARCHED = 100  # of a thousand names; a search takes time that others wait for


class WrongValue(Exception):
    """A value that is refused, and why.

    Args:
        code: stable, kebab-case.
        message: as it reads after the column's name; empty where it is said later, if it is said.
    """

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def missing() -> WrongValue:
    """Return what is wrong with a missing value where none may be."""
    return WrongValue("missing-value", "may not be missing: the model does not fill it in")


def short(text: str) -> str:
    """Return a text of at most 40 characters."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def unknown_column(name: str, names: Sequence[str]) -> str:
    """Return what is wrong with a column that a model does not have, and the nearest it has."""
    near = nearest(short(name), names[:_SEARCHED])
    return "is not a column of this model" + (f": did you mean '{short(near)}'?" if near else "")


def unknown_category(column: Column, value: Any) -> str:
    """Return what is wrong with a category that the model never saw, and the nearest it knows."""
    known = [short(str(category)) for category in column.categories or ()]
    given = short(str(value))
    near = nearest(given, known[:_SEARCHED])
    if near:
        return f"has no category '{given}': did you mean '{near}'?"
    shown = ", ".join(known[:_LISTED]) + (", …" if len(known) > _LISTED else "")
    return f"has no category '{given}': the model knows {shown}"


def moment(text: str) -> Optional[datetime]:
    """Return the time that a text states, in UTC without a zone; None where it states none."""
    try:
        # Before Python 3.11 the letter for UTC was not understood.
        read = datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith("Z") else text)
        utc = timezone.utc  # noqa: UP017 - its short name came with Python 3.11
        return read.astimezone(utc).replace(tzinfo=None) if read.tzinfo else read
    except (ValueError, OverflowError):
        return None


def _other_type(column_type: ColumnType, value: Any) -> WrongValue:
    names: dict[type, str] = {bool: "a boolean", str: "text", list: "a list", dict: "an object"}
    found = names.get(type(value), "a number")
    article = "an" if column_type is ColumnType.INTEGER else "a"
    what = "text" if column_type is ColumnType.STRING else f"{article} {column_type.value}"
    return WrongValue("wrong-type", f"takes {what}, not {found}")


def _nan() -> WrongValue:
    return WrongValue("not-a-number", "takes a number, not NaN: a missing value is written as null")


def _integer(value: Any) -> int:
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int:
        if type(value) is not float:
            raise _other_type(ColumnType.INTEGER, value)
        raise _nan() if math.isnan(value) else WrongValue("wrong-type", "takes a whole number")
    if value not in _INT64:
        raise WrongValue("out-of-range", "takes a whole number of at most 64 bits")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise _other_type(ColumnType.NUMBER, value)
    try:
        read = float(value)
    except OverflowError:
        read = math.inf
    if math.isnan(read):
        raise _nan()
    if math.isinf(read):
        raise WrongValue("out-of-range", "takes a finite number")
    return read


def _string(value: Any) -> str:
    if type(value) is not str:
        raise _other_type(ColumnType.STRING, value)
    return value


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise _other_type(ColumnType.BOOLEAN, value)
    return value


def _datetime(value: Any) -> datetime:
    if type(value) is not str:
        raise _other_type(ColumnType.DATETIME, value)
    read = moment(value)
    if read is None:
        raise WrongValue("wrong-type", "takes a time as in 2026-01-31T12:00:00")
    return read


READERS: dict[ColumnType, Callable[[Any], Any]] = {
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.STRING: _string,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATETIME: _datetime,
}
