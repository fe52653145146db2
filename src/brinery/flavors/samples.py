"""Rows that fit a signature, made up: what two models can be asked where no data is at hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from brinery.records.signature import Column, ColumnType, Scalar, Signature

ROWS = 200

_SEED = 20_240
_SPREAD = 4.0
_MISSING = 0.1


def rows(signature: Signature) -> pd.DataFrame:
    """Return the signature's example and rows spread around it, the same at every call.

    Numbers lie within a few times the example's size of it, categories are drawn from those the
    model knows, and what may be missing sometimes is.

    Returns:
        (200, n_columns): the first row is the example.
    """
    random = np.random.default_rng(_SEED)
    return pd.DataFrame(
        {
            column.name: _series(column, signature.example.get(column.name), random)
            for column in signature.columns
        }
    )


def _series(column: Column, example: Scalar | None, random: np.random.Generator) -> pd.Series[Any]:
    values = _values(column, example, random)
    if column.nullable:
        # The first row stays. Neither bool nor int64 has a missing value: whole columns change.
        holes = np.concatenate([[False], random.random(ROWS - 1) < _MISSING])
        values = (values.astype(object) if values.dtype == bool else values).mask(holes)
    return values.astype("category") if column.categorical else values


def _values(column: Column, example: Scalar | None, random: np.random.Generator) -> pd.Series[Any]:
    if column.categories:
        drawn = [column.categories[i] for i in random.integers(len(column.categories), size=ROWS)]
        values = pd.Series([example if example is not None else drawn[0], *drawn[1:]])
    elif column.type is ColumnType.NUMBER:
        values = pd.Series(_around(float(example or 0.0), random))
    elif column.type is ColumnType.INTEGER:
        values = pd.Series(np.rint(_around(float(example or 0), random)).astype(np.int64))
    elif column.type is ColumnType.BOOLEAN:
        values = pd.Series([bool(example), *(random.random(ROWS - 1) < 1 / 2)])
    elif column.type is ColumnType.DATETIME:
        start = pd.Timestamp(str(example)) if example is not None else pd.Timestamp("2020-01-01")
        values = pd.Series(start + pd.to_timedelta(random.integers(0, 365, ROWS), unit="D"))
        values[0] = start
    else:
        values = pd.Series([example] * ROWS)
    return values


def _around(example: float, random: np.random.Generator) -> Any:
    """Return the example, and numbers around it of its own size and sign."""
    size = max(abs(example), 1.0)
    drawn = example + size * random.normal(scale=_SPREAD / 4, size=ROWS)
    wide = random.random(ROWS) < 1 / 4
    drawn = np.where(wide, example + size * random.normal(scale=_SPREAD, size=ROWS), drawn)
    drawn = np.abs(drawn) if example >= 0 else drawn
    drawn[0] = example
    return drawn
