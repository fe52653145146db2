"""What every step must do: make of rows what the library's transformer makes of them."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.tree import DecisionTreeRegressor

from brinery.scorers import bundle
from brinery.scorers.catalog import READERS
from brinery.scorers.composition import Piped
from brinery.scorers.data import Array, Columns, Data, Declined, Sparse
from brinery.scorers.interface import Node, Reader, Step, Unsupported
from brinery.scorers.plan import Plan

_COUNTS = (1, 8)


def numbers(n_rows: int = 300) -> pd.DataFrame:
    """Return columns that are small, large, with ties, mostly zero, and constant."""
    rng = np.random.default_rng(0)
    table = rng.normal([0, 1e6, 3, 0, 0], [1, 5e5, 2, 1e-9, 0], size=(n_rows, 5))
    table[:, 2] = np.round(table[:, 2])
    table[:, 3] *= rng.random(n_rows) < 0.3
    table[:, 4] = 7.0
    return pd.DataFrame(table, columns=list("abcde"))


def zeros(n_rows: int = 300) -> Any:
    """Return a sparse table, some of its rows and one of its columns all zero."""
    rng = np.random.default_rng(1)
    table = rng.random((n_rows, 6)) * (rng.random((n_rows, 6)) < 0.3)
    table[:, 4] = 0.0
    return sparse.csr_matrix(table)


def fitted(transformer: Any, rows: Any) -> Any:
    """Return a transformer fitted on rows, of which half belong to either class."""
    target = np.arange(rows.shape[0]) % 2
    with warnings.catch_warnings():
        # Features that are constant, bins that are empty: what is tried is not the fit.
        warnings.simplefilter("ignore")
        return transformer.fit(rows, target)


def declines(transformer: Any, rows: Any) -> None:
    """Assert that the library refuses rows, and that the node leaves them to it."""
    with pytest.raises((ValueError, TypeError)):
        transformer.transform(rows)
    with pytest.raises(Declined):
        step_of(transformer).transform(data_of(rows))


def step_of(transformer: Any) -> Step:
    """Return the node of a fitted transformer, written to a file and read again.

    Raises:
        Unsupported: no node stands for it, or for one within it.
    """
    reader = Reader(READERS, _refuse)
    step = reader.step(transformer)
    # A plan ends in a model; of this one nothing is asked.
    model = reader.model(DecisionTreeRegressor().fit([[0.0]], [0.0]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scorer.safetensors"
        bundle.write(Plan(inputs=(), model=Piped(step, model)), path)
        read = bundle.read(path).model
    assert isinstance(read, Piped)
    return read.step


def _refuse(_: Any, reason: str, *, is_step: bool) -> Node:
    del is_step
    raise Unsupported(reason)


def data_of(rows: Any) -> Data:
    """Return rows, of a frame, an array or a sparse table, as a scorer passes them."""
    if isinstance(rows, pd.DataFrame):
        arrays = tuple(
            rows[name].to_numpy(np.float64)
            if pd.api.types.is_numeric_dtype(rows[name])
            else rows[name].to_numpy(object, na_value=np.nan)
            for name in rows.columns
        )
        return Columns(tuple(map(str, rows.columns)), arrays, len(rows))
    if hasattr(rows, "tocsr"):
        table = rows.tocsr()
        starts, columns = table.indptr.astype(np.int64), table.indices.astype(np.int64)
        return Sparse(starts, columns, table.data.copy(), width=table.shape[1])
    return np.array(rows, dtype=np.float64)


def transforms(transformer: Any, rows: Any, *, tolerance: float = 1e-12) -> Step:
    """Assert that the node gives what the library's transformer does: for one row, a few, and all.

    Args:
        transformer: fitted.
        rows: (n_rows, n_features), a frame, an array or a sparse table.
        tolerance: relative; in the usual case nothing differs at all.
    """
    step = step_of(transformer)
    for count in {*_COUNTS, rows.shape[0]}:
        part = rows[:count]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = transformer.transform(part.copy())
        given = data_of(part)
        before = pd.DataFrame(_table(given)).copy()
        found = step.transform(given)
        assert isinstance(found, Sparse) == hasattr(expected, "tocsr")
        pd.testing.assert_frame_equal(pd.DataFrame(_table(given)), before, check_exact=True)
        wanted = expected.toarray() if hasattr(expected, "toarray") else np.asarray(expected)
        np.testing.assert_allclose(
            _table(found), wanted.astype(np.float64), rtol=tolerance, atol=tolerance / 1000
        )
    return step


def _table(data: Data) -> Array:
    if isinstance(data, Columns):
        return np.column_stack(data.arrays)
    return data.dense() if isinstance(data, Sparse) else data
