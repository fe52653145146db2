"""The schema that a data frame is written with: each column's type, in the platform's words."""

from __future__ import annotations

from typing import Any, Dict, List


def schema_of(frame: Any) -> List[Dict[str, Any]]:
    """Return the schema that a pandas data frame is written with.

    Raises:
        ValueError: two columns have the same name.
    """
    names = [str(name) for name in frame.columns]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the data frame has two columns of the name '{name}'")
    return [
        {"name": name, "type": _type_of(frame.iloc[:, number])} for number, name in enumerate(names)
    ]


def _type_of(values: Any) -> str:
    from pandas.api import types

    kind = values.dtype
    if types.is_bool_dtype(kind):
        return "boolean"
    if types.is_integer_dtype(kind):
        size = kind.itemsize * (2 if types.is_unsigned_integer_dtype(kind) else 1)
        return {1: "tinyint", 2: "smallint", 4: "int"}.get(size, "bigint")
    if types.is_float_dtype(kind):
        return "double" if kind.itemsize == 8 else "float"  # noqa: PLR2004 - bytes
    if types.is_datetime64_any_dtype(kind):
        return "date" if getattr(kind, "tz", None) is not None else "datetimenotz"
    if types.is_object_dtype(kind):
        return _type_of_objects(values)
    return "string"


def _type_of_objects(values: Any) -> str:
    """Return what the values are that pandas has no type for."""
    import datetime

    found = {type(each) for each in values.dropna().head(1000)}
    if found == {bool}:
        return "boolean"
    if found == {dict}:
        return "object"
    if found and found <= {list, tuple}:
        return "array"
    if found == {datetime.date}:
        return "dateonly"
    return "string"
