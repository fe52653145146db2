"""Tables and scores as they cross between processes: Arrow streams.

A missing value is null on the way and NaN (NaT for a time) at its end, in every column, as
`pandas.read_csv` gives it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from brinery.errors import PredictionRefused
from brinery.flavors import outputs
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

_PREDICTION = "prediction"
_PROBABILITY = "p"
_CLASSES = b"classes"
_OUTPUTS, _FRAMED = b"outputs", b"framed"


def pack(table: pa.Table) -> memoryview:
    """Return a table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return memoryview(sink.getvalue())


def unpack(payload: bytes | memoryview) -> pa.Table:
    """Return the table of an Arrow stream."""
    return pa.ipc.open_stream(payload).read_all()


def pack_scores(scores: Scores) -> memoryview:
    """Return scores as an Arrow stream: a column of predictions and one per class.

    Of several values per row it is a column for each. The classes, and the names of the several
    values, go with them as metadata: a model may name them in its answer only.

    Raises:
        PredictionRefused: the predictions are not all numbers, all strings or all booleans.
    """
    if scores.outputs:
        return pack(_several(scores))
    columns: dict[str, Any] = {_PREDICTION: _column(scores.predictions)}
    if scores.probabilities is not None:
        for position, column in enumerate(scores.probabilities.T):
            columns[f"{_PROBABILITY}{position}"] = pa.array(np.ascontiguousarray(column))
    table = pa.table(columns)
    if scores.classes:
        names = msgspec.json.encode(tuple(map(_plain, scores.classes)))
        table = table.replace_schema_metadata({_CLASSES: names})
    return pack(table)


def _several(scores: Scores) -> pa.Table:
    """Return a column for each of the several values of a row."""
    made = [_column(column) for column in outputs.unstacked(scores.predictions)]
    told = {_OUTPUTS: msgspec.json.encode(scores.outputs)}
    if scores.framed:
        told[_FRAMED] = b"1"
    table = pa.table(made, names=[f"{_PREDICTION}{place}" for place in range(len(made))])
    return table.replace_schema_metadata(told)


def _column(predictions: npt.NDArray[Any]) -> pa.Array:
    """Return predictions as a column.

    Raises:
        PredictionRefused: no column holds them.
    """
    if predictions.dtype.kind in "OU":
        predictions = np.array([_plain(value) for value in predictions], dtype=object)
    try:
        return pa.array(np.ascontiguousarray(predictions))
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        raise PredictionRefused(
            f"the model's predictions are of a type ({predictions.dtype}) that no table holds",
            hint="its predict must answer with numbers of 64 bits, text or truth values",
        ) from None


def unpack_scores(table: pa.Table, classes: tuple[Scalar, ...]) -> Scores:
    """Return the scores of a table that was checked.

    Args:
        table: of a stream of scores.
        classes: of its probabilities; where there are none, those that came with the answers.
    """
    if names := output_names(table.schema.metadata):
        values = outputs.stacked([column.to_numpy() for column in table.columns])
        framed = _FRAMED in table.schema.metadata
        return Scores(predictions=values, outputs=names, framed=framed)
    predictions = table.column(_PREDICTION).to_numpy()
    rest = [
        column.to_numpy()
        for name, column in zip(table.column_names, table.columns)
        if name != _PREDICTION
    ]
    return Scores(
        predictions=predictions,
        probabilities=np.column_stack(rest).astype(np.float64, copy=False) if rest else None,
        classes=classes or _classes(table, len(rest)),
    )


def output_names(told: Optional[Mapping[bytes, bytes]]) -> tuple[str, ...]:
    """Return what the metadata of scores call the several values of a row; else nothing."""
    try:
        return msgspec.json.decode((told or {}).get(_OUTPUTS, b"[]"), type=tuple[str, ...])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()


def _classes(table: pa.Table, count: int) -> tuple[Scalar, ...]:
    """Return the classes that came with some answers; none where they are not one per column."""
    stated = (table.schema.metadata or {}).get(_CLASSES)
    if stated is None:
        return ()
    try:
        classes = msgspec.json.decode(stated, type=tuple[Scalar, ...])
    except msgspec.DecodeError:
        return ()
    plain = all(str(label).isprintable() for label in classes)
    return classes if plain and len(classes) == count == len(set(classes)) else ()


def _plain(value: Any) -> Any:
    """Return a numpy scalar as Python's own."""
    return value.item() if isinstance(value, np.generic) else value
