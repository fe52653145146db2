"""Tables and scores as they cross between processes: Arrow streams.

A missing value is null on the way and NaN (NaT for a time) at its end, in every column, as
`pandas.read_csv` gives it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from brinery.records.scores import Scores
from brinery.records.signature import Scalar

_PREDICTION = "prediction"
_PROBABILITY = "p"


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

    Raises:
        TypeError: the predictions are not all numbers, all strings or all booleans.
    """
    predictions = scores.predictions
    if predictions.dtype.kind in "OU":
        predictions = np.array([_plain(value) for value in predictions], dtype=object)
    try:
        columns: dict[str, Any] = {_PREDICTION: pa.array(predictions)}
    except pa.ArrowException as error:
        raise TypeError(f"predictions that are not of one plain type: {error}") from None
    if scores.probabilities is not None:
        for position, column in enumerate(scores.probabilities.T):
            columns[f"{_PROBABILITY}{position}"] = pa.array(np.ascontiguousarray(column))
    return pack(pa.table(columns))


def unpack_scores(payload: bytes | memoryview, classes: tuple[Scalar, ...]) -> Scores:
    """Return the scores of an Arrow stream, whose probabilities are of these classes."""
    table = unpack(payload)
    predictions = table.column(_PREDICTION).to_numpy()
    rest = [
        column.to_numpy()
        for name, column in zip(table.column_names, table.columns, strict=True)
        if name != _PREDICTION
    ]
    return Scores(
        predictions=predictions,
        probabilities=np.column_stack(rest).astype(np.float64, copy=False) if rest else None,
        classes=classes,
    )


def _plain(value: Any) -> Any:
    """Return a numpy scalar as Python's own."""
    return value.item() if isinstance(value, np.generic) else value
