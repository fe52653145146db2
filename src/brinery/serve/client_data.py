"""What a client sends and what it is sent, as bytes and as values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
from msgspec import Struct

from brinery.errors import DataUnreadable, EndpointFault
from brinery.flavors import outputs
from brinery.flavors.answer_columns import PREDICTION
from brinery.records.ready import decoded
from brinery.records.scores import Scores
from brinery.records.signature import Scalar, Signature

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"

_PROBABILITY = "probability_"
_KINDS = "a DataFrame, an Arrow table, a polars frame, a list of objects, or one object"


class ServedModel(Struct, frozen=True, kw_only=True):
    """A model as its server describes it.

    Attributes:
        name: of the model.
        version: that answers.
        aliases: that point to it.
        stage: MLflow's word for them; None where it has none.
        type: what it predicts: binary, multiclass, regression, …
        model: what it is made of, in a line.
        classes: in the model's order; empty where it has none.
        metrics: name to value, of its evaluation.
        signature: its columns, and a row that works.
        sha256: of the model's file.
        created: when it was registered.
        fault: why a newer version could not take its place; None where none tried.
    """

    name: str
    version: int
    signature: Signature
    aliases: tuple[str, ...] = ()
    stage: str | None = None
    type: str = ""
    model: str = ""
    classes: tuple[Scalar, ...] = ()
    metrics: dict[str, float | None] = {}
    sha256: str = ""
    created: datetime | None = None
    fault: str | None = None


class _Named(Struct, frozen=True):
    name: str


class Listed(Struct, frozen=True):
    """What `/v1/models` answers, as far as it is read here."""

    models: tuple[_Named, ...]


class _Predictions(Struct, frozen=True):
    """What `/v1/models/{name}/predict` answers in JSON."""

    predictions: list[dict[str, Any]]


def rows(data: object) -> list[Mapping[str, Any]] | None:
    """Return the rows of a list of objects, or of one; None where it is a table."""
    if isinstance(data, Mapping):
        return [data]
    if isinstance(data, list | tuple):
        if all(isinstance(row, Mapping) for row in data):
            return list(data)
        raise _strange(next(row for row in data if not isinstance(row, Mapping)), "as a row")
    return None


def table(data: object) -> pa.Table | None:
    """Return a table; None for a DataFrame that has none, for a column mixes types.

    Raises:
        DataUnreadable: it is no table.
    """
    if isinstance(data, pd.DataFrame):
        try:
            return pa.Table.from_pandas(data, preserve_index=False)
        except (pa.ArrowException, TypeError, ValueError):
            return None
    if isinstance(data, pa.Table):
        return data
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    if hasattr(data, "__arrow_c_stream__"):
        return pa.table(data)
    raise _strange(data, "")


def columns(data: pd.DataFrame | pa.Table) -> dict[str, list[Any]]:
    """Return column name to (n_rows,) values."""
    if isinstance(data, pa.Table):
        found: dict[str, list[Any]] = data.to_pydict()
        return found
    return {str(name): values for name, values in data.to_dict("list").items()}


def rows_body(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return rows as JSON."""
    return _encoded({"rows": [dict(row) for row in rows]})


def columns_body(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Return columns as JSON."""
    return _encoded({"columns": columns})


def stream_body(table: pa.Table) -> bytes:
    """Return a table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def scores(
    content: bytes, media: str, *, classes: Callable[[Sequence[str]], tuple[Any, ...]]
) -> Scores:
    """Return the scores of an answer.

    Args:
        content: of the answer.
        media: its type.
        classes: returns the classes that some names stand for.

    Raises:
        EndpointFault: it is no such answer.
    """
    try:
        if media.partition(";")[0].strip() == ARROW:
            return _of_table(pa.ipc.open_stream(content).read_all(), classes)
        return _of_json(decoded(content, _Predictions).predictions, classes)
    except (msgspec.MsgspecError, pa.ArrowException, KeyError) as error:
        raise EndpointFault(f"the server's answer is not read: {error}") from None


def _of_json(
    predictions: list[dict[str, Any]], classes: Callable[[Sequence[str]], tuple[Any, ...]]
) -> Scores:
    first = predictions[0] if predictions else {}
    if "values" in first:
        several = {name: [one["values"][name] for one in predictions] for name in first["values"]}
        return _of_several(several)
    key = "label" if "label" in first else "value"
    values = [one[key] for one in predictions]
    if key == "value":
        values = [math.nan if value is None else value for value in values]
    names = list(first.get("probabilities", {}))
    if not names:
        return Scores(predictions=_array(values))
    chances = [[one["probabilities"][name] for name in names] for one in predictions]
    return Scores(
        predictions=_array(values),
        probabilities=np.array(chances, dtype=np.float64),
        classes=classes(names),
    )


def _of_table(answered: pa.Table, classes: Callable[[Sequence[str]], tuple[Any, ...]]) -> Scores:
    if PREDICTION not in answered.column_names:
        return _of_several(answered.to_pydict())
    predictions = _array(answered.column(PREDICTION).to_pylist())
    columns = [name for name in answered.column_names if name.startswith(_PROBABILITY)]
    if not columns:
        return Scores(predictions=predictions)
    chances = [answered.column(name).to_numpy() for name in columns]
    return Scores(
        predictions=predictions,
        probabilities=np.column_stack(chances).astype(np.float64, copy=False),
        classes=classes([name.removeprefix(_PROBABILITY) for name in columns]),
    )


def _of_several(columns: Mapping[str, list[Any]]) -> Scores:
    """Return the several values of each row; a number that is not there is NaN."""
    made = [
        _array([math.nan if value is None else value for value in values])
        for values in columns.values()
    ]
    return Scores(predictions=outputs.stacked(made), outputs=tuple(columns))


def _array(values: list[Any]) -> Any:
    """Return (n_rows,) values, numbers as numbers and everything else as it is."""
    if all(isinstance(value, bool) for value in values):
        return np.array(values, dtype=bool)
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return np.array(values)
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _encoded(value: Any) -> bytes:
    try:
        return _encode(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataUnreadable(f"the rows cannot be sent as JSON: {error}") from None


def _plain(value: Any) -> Any:
    """Return what stands for a value in JSON: the number or text, and null for a missing one."""
    if isinstance(value, np.generic):
        return value.item()
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a value of type {type(value).__name__}")


_encode = msgspec.json.Encoder(enc_hook=_plain, decimal_format="number").encode


def _strange(value: object, what: str) -> DataUnreadable:
    kind = type(value).__name__
    return DataUnreadable(f"a {kind} is not taken {what}".rstrip(), hint=f"give {_KINDS}")
