"""The answers of a model that gives each row several values: a table, whose columns have names.

A transformer's columns, the targets of a regression, the frame of a user's own function. The names
are the frame's own, or those that the model tells, or `output_0`, `output_1` and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from brinery.errors import NotAModel, PredictionRefused
from brinery.flavors import plain_values
from brinery.pickles import words
from brinery.records.scores import Scores
from brinery.records.signature import ColumnType, Output

MOST_OUTPUTS = 10_000
# In one answer: 256 MiB of float64.
MOST_VALUES = 1 << 25

_TABLE = 2
_MOST_LETTERS = 500
_NUMBERS = "iuf"
_TYPES = {
    "i": ColumnType.INTEGER,
    "u": ColumnType.INTEGER,
    "f": ColumnType.NUMBER,
    "b": ColumnType.BOOLEAN,
}


def check_size(answer: Any, *, rows: int) -> None:
    """Return only where an answer is not too large to become a table; nothing is copied.

    Args:
        answer: what the model returned: an array, a sparse matrix, a frame, anything.
        rows: how many were asked about.

    Raises:
        NotAModel: it has too many columns.
        PredictionRefused: it has too many values for one answer.
    """
    shape: Any = getattr(answer, "shape", None)
    if not isinstance(shape, tuple) or len(shape) != _TABLE or shape[0] != rows:
        return
    columns = shape[1]
    if columns > MOST_OUTPUTS:
        raise NotAModel(
            f"the model answers each row with {columns:,} values, and at most {MOST_OUTPUTS:,} "
            "are supported",
            hint="put an estimator behind it in a Pipeline, or let it keep fewer columns, as "
            "max_features of a text vectoriser does",
        )
    if rows * columns > MOST_VALUES:
        raise PredictionRefused(
            f"{rows:,} rows of {columns:,} values each are more than the {MOST_VALUES:,} values "
            "of one answer",
            hint=f"give at most {MOST_VALUES // columns:,} rows at a time",
        )


def are_several(values: npt.NDArray[Any], *, rows: int) -> bool:
    """Return whether answers are a table of several columns: (n_rows, n_outputs)."""
    return values.ndim == _TABLE and values.shape[0] == rows and values.shape[1] > 1


def scores(values: npt.NDArray[Any], *, answer: Any) -> Scores:
    """Return a table of answers in the form that every room reads.

    Args:
        values: (n_rows, n_outputs) of any type.
        answer: what the model returned, of which a frame names its columns.

    Raises:
        NotAModel, PredictionRefused: it is too large.
        PredictionRefused: a value is none, or those of a column are of several kinds.
    """
    check_size(values, rows=len(values))
    count = values.shape[1]
    if values.dtype.kind not in plain_values.PLAIN_ARRAYS:
        values = stacked([_narrow(plain_values.plain(column)) for column in values.T])
    own = tuple(map(str, answer.columns)) if plain_values.is_frame(answer) else ()
    if len(own) == count and are_names(own):
        return Scores(predictions=values, outputs=own, framed=True)
    return Scores(predictions=values, outputs=default_names(count))


def called(found: Scores, names: Sequence[str]) -> Scores:
    """Return scores whose outputs have the names that the model tells, where it tells such.

    Args:
        found: with outputs; those of a frame keep their names.
        names: that the model tells; as many as its outputs, or they are not its outputs'.
    """
    told = tuple(names)
    if found.framed or len(told) != len(found.outputs) or not are_names(told):
        return found
    return Scores(predictions=found.predictions, outputs=told)


def settled(found: Scores, known: tuple[str, ...]) -> Scores:
    """Return scores with the outputs that a model was imported with, in their order.

    What was taken for probabilities in a call, because each row happened to sum to 1, is outputs.

    Args:
        found: answers of a model.
        known: what its outputs are called.

    Raises:
        PredictionRefused: it answered with others.
    """
    values, names = found.predictions, found.outputs
    if not names and found.probabilities is not None:
        values = found.probabilities
    if not names and values.ndim == _TABLE:
        names = default_names(values.shape[1])
    if names == known:
        return found if found.outputs else Scores(predictions=values, outputs=known)
    if len(names) == len(known):
        if names == default_names(len(known)):
            return Scores(predictions=values, outputs=known)
        if set(names) == set(known):
            order = [names.index(name) for name in known]
            return Scores(predictions=values[:, order], outputs=known, framed=found.framed)
    strange = [name for name in names if name not in known][:1]
    raise PredictionRefused(
        f"the model answers each row with {len(names) or 1} values"
        + (f", '{strange[0]}' among them" if strange else "")
        + f", and was imported with {len(known)}: {', '.join(known[:5])}"
        + (", …" if len(known) > 5 else ""),  # noqa: PLR2004 - as many as fit on a line
        hint="its predict must answer every time with the same columns",
    )


def of(found: Scores) -> tuple[str, ...]:
    """Return what the several values of a row are called; none where each row has one value.

    Probabilities of classes that nobody named are such values too.
    """
    if found.probabilities is None or found.classes:
        return found.outputs
    return default_names(found.probabilities.shape[1])


def described(found: Scores) -> tuple[Output, ...]:
    """Return what the outputs of some answers are called, and the types of their values."""
    if not found.outputs:
        return ()
    return tuple(
        Output(name=name, type=_type(column), framed=found.framed)
        for name, column in zip(found.outputs, found.predictions.T)
    )


def default_names(count: int) -> tuple[str, ...]:
    """Return the names of outputs that nobody named."""
    return tuple(f"output_{place}" for place in range(count))


def are_names(names: Sequence[str]) -> bool:
    """Return whether outputs may be called so: each once, in letters that can be shown."""
    return len(set(names)) == len(names) and all(
        name and len(name) <= _MOST_LETTERS and not any(map(words.hidden, name)) for name in names
    )


def stacked(columns: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return columns as one table: of objects where they are of several kinds.

    Args:
        columns: (n_outputs,) each (n_rows,) numbers, truth values, or objects.
    """
    kinds = {column.dtype.kind for column in columns}
    if kinds <= set(_NUMBERS) or kinds == {"b"}:
        return np.column_stack(list(columns))
    table = np.empty((len(columns[0]), len(columns)), dtype=object)
    for place, column in enumerate(columns):
        table[:, place] = column.tolist()
    return table


def unstacked(table: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """Return the columns of a table, each of its own type: (n_outputs,) of (n_rows,)."""
    if table.dtype != object:
        return list(table.T)
    return [_narrow(column) for column in table.T]


def _narrow(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return objects as an array of numbers or truth values where they are that, None as NaN."""
    if column.dtype != object:
        return column
    listed = column.tolist()
    there = [value for value in listed if value is not None]
    found = np.array(there)
    if found.dtype.kind == "b" and len(there) == len(listed):
        return found
    if found.dtype.kind not in _NUMBERS or not there:
        return column
    return np.array([np.nan if value is None else value for value in listed])


def _type(column: npt.NDArray[Any]) -> ColumnType:
    return _TYPES.get(_narrow(column).dtype.kind, ColumnType.STRING)
