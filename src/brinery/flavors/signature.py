"""What a model takes, inferred from the model and the data; and data made to fit it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from brinery.errors import ColumnMismatch, ColumnMissing
from brinery.records.description import ColumnUse, Description
from brinery.records.signature import Column, ColumnType, Scalar, Signature
from brinery.specs.names import nearest


def check_columns(description: Description, columns: Sequence[str]) -> None:
    """Check that the data has the columns the model takes.

    Args:
        description: the model.
        columns: of the data, the target left out.

    Raises:
        ColumnMissing: a column the model was fitted on is not there; the nearest is named.
        ColumnMismatch: the model has no names, and the number of columns is not the model's.
    """
    names = description.feature_names
    if names is not None:
        for name in names:
            if name not in columns and description.columns.get(name, ColumnUse()).used:
                raise missing_column(name, columns)
    elif description.n_features not in (None, len(columns)):
        raise ColumnMismatch(
            f"the model was fitted on {description.n_features} unnamed columns and the data has "
            f"{len(columns)}: {', '.join(columns)}",
            hint="name the target with --target, and leave out the columns the model does not take",
        )


def missing_column(name: str, columns: Sequence[str]) -> ColumnMissing:
    """Return the error for a column that is not there."""
    near = nearest(name, columns)
    hint = (
        f"is it '{near}'? rename that column to '{name}'"
        if near
        else f"add a column '{name}' to the data; it has {', '.join(columns[:20])}"
    )
    return ColumnMissing(
        f"the model needs a column '{name}', which the data does not have", hint=hint
    )


def complete(description: Description, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with the columns that the model names but does not read, as missing."""
    absent = [name for name in description.feature_names or () if name not in frame.columns]
    return frame.assign(**dict.fromkeys(absent, float("nan"))) if absent else frame


def infer(
    description: Description, frame: pd.DataFrame, *, may_be_missing: Sequence[str]
) -> Signature:
    """Return the signature of a model for data that it takes.

    Args:
        description: the model.
        frame: the data without the target.
        may_be_missing: the columns whose value the model was seen to do without.
    """
    columns = tuple(
        _column(description, frame[name], may_be_missing=name in may_be_missing)
        for name in frame.columns
    )
    full = frame[frame.notna().all(axis="columns")]
    position = (full if len(full) else frame).index[0]
    example = {name: _json_scalar(frame[name][position]) for name in frame.columns}
    return Signature(columns=columns, example=example)


def _column(description: Description, series: pd.Series[Any], *, may_be_missing: bool) -> Column:
    name = str(series.name)
    taken = description.feature_names is None or name in description.feature_names
    use = description.columns.get(name, ColumnUse()) if taken else ColumnUse(used=False)
    kind = column_type(series)
    # A text that no imputer fills is one more category, and the encoder does not know it.
    nullable = not use.used or (may_be_missing and (use.missing or use.categories is None))
    return Column(
        name=name,
        type=kind,
        required=use.used,
        nullable=nullable,
        categories=use.categories,
        categorical=isinstance(series.dtype, pd.CategoricalDtype),
    )


def column_type(series: pd.Series[Any]) -> ColumnType:
    """Return the type of a column, as pandas read it: whole numbers with gaps are numbers."""
    dtype = _value_type(series)
    if pd.api.types.is_bool_dtype(dtype):
        return ColumnType.BOOLEAN
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return ColumnType.DATETIME
    if pd.api.types.is_integer_dtype(dtype):
        return ColumnType.INTEGER
    return ColumnType.NUMBER if pd.api.types.is_numeric_dtype(dtype) else ColumnType.STRING


def _value_type(series: pd.Series[Any]) -> Any:
    """Return the dtype of the values that are there, in a categorical or object column too."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        return series.dtype.categories.dtype
    return series.dropna().infer_objects().dtype if series.dtype == object else series.dtype


def conform(signature: Signature, frame: pd.DataFrame, *, first_row: int = 0) -> pd.DataFrame:
    """Return the columns of the signature, in its order; one that is not required may be absent.

    Args:
        signature: of the model.
        frame: (n_rows, …) the data, or some rows of it.
        first_row: of these rows in the data, from 0, for what an error says.

    Raises:
        ColumnMissing: a required column is not there; the nearest is named.
        ColumnMismatch: a column holds another type, or is there twice.
    """
    frame = frame.rename(columns=str)
    kept: dict[str, Any] = {}
    for column in signature.columns:
        if list(frame.columns).count(column.name) > 1:
            raise ColumnMismatch(
                f"the data has two columns '{column.name}'", hint="rename or drop one of them"
            )
        if column.name in frame.columns:
            kept[column.name] = _conformed(column, frame[column.name], first_row)
        elif column.required:
            raise missing_column(column.name, list(frame.columns))
        else:
            kept[column.name] = pd.Series([float("nan")] * len(frame), index=frame.index)
    return pd.DataFrame(kept)


def _conformed(column: Column, series: pd.Series[Any], first_row: int) -> pd.Series[Any]:
    wanted, found = column.type, column_type(series)
    numeric = (ColumnType.INTEGER, ColumnType.NUMBER)
    if wanted is ColumnType.STRING and series.isna().all():
        # pandas reads an empty column as numbers, which an encoder of text does not take.
        return series.astype(object)
    if found is wanted or not column.required or series.isna().all():
        return series
    if wanted in numeric and found in numeric:
        return series
    if wanted is ColumnType.DATETIME and found is ColumnType.STRING:
        times = pd.to_datetime(series, errors="coerce", format="ISO8601", utc=True)
        return _converted(column, series, times.dt.tz_localize(None), first_row=first_row)
    if wanted in numeric and found is ColumnType.STRING:
        made = pd.to_numeric(series, errors="coerce")
        return _converted(column, series, made, first_row=first_row)
    if wanted is ColumnType.STRING and found in (*numeric, ColumnType.BOOLEAN):
        raise ColumnMismatch(
            f"column '{column.name}' holds {found} where the model takes text",
            hint=f"df['{column.name}'] = df['{column.name}'].astype(str)",
        )
    raise ColumnMismatch(
        f"column '{column.name}' holds {found} where the model takes {wanted}",
        hint=f"brinery model show lists what '{column.name}' takes",
    )


def _converted(
    column: Column, series: pd.Series[Any], made: pd.Series[Any], *, first_row: int
) -> pd.Series[Any]:
    lost = made.isna() & series.notna()
    if lost.any():
        row = first_row + int(lost.to_numpy().argmax())
        raise ColumnMismatch(
            f"column '{column.name}' holds text in row {row + 1} "
            f"where the model takes {column.type}",
            hint="mend that row, or leave its value empty if the model fills it in",
        )
    return made


def _json_scalar(value: Any) -> Scalar | None:
    """Return a cell as JSON has it."""
    if value is None or pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    plain = value.item() if hasattr(value, "item") else value
    return plain if isinstance(plain, str | int | float | bool) else str(plain)
