"""Tables and scores as they cross between processes: Arrow streams.

A missing value is null on the way and NaN (NaT for a time) at its end, in every column, as
`pandas.read_csv` gives it.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from brinery.errors import PredictionRefused
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

_PREDICTION = "prediction"
_PROBABILITY = "p"
_CLASSES = b"classes"


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

    The classes go with them as metadata: a model may name them in its answer only.

    Raises:
        PredictionRefused: the predictions are not all numbers, all strings or all booleans.
    """
    predictions = scores.predictions
    if predictions.dtype.kind in "OU":
        predictions = np.array([_plain(value) for value in predictions], dtype=object)
    try:
        columns: dict[str, Any] = {_PREDICTION: pa.array(predictions)}
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        raise PredictionRefused(
            f"the model's predictions are of a type ({predictions.dtype}) that no table holds",
            hint="its predict must answer with numbers of 64 bits, text or truth values",
        ) from None
    if scores.probabilities is not None:
        for position, column in enumerate(scores.probabilities.T):
            columns[f"{_PROBABILITY}{position}"] = pa.array(np.ascontiguousarray(column))
    table = pa.table(columns)
    if scores.classes:
        names = msgspec.json.encode(tuple(map(_plain, scores.classes)))
        table = table.replace_schema_metadata({_CLASSES: names})
    return pack(table)


def unpack_scores(payload: bytes | memoryview, classes: tuple[Scalar, ...]) -> Scores:
    """Return the scores of an Arrow stream.

    Args:
        payload: the stream.
        classes: of its probabilities; where there are none, those that came with the answers.
    """
    table = unpack(payload)
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
